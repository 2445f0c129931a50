# Compares versions as RubyGems does: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` for a malformed one.
# Debian package: ruby.
$stdin.each_line(chomp: true) do |line|
  left, right = line.split("\t", 2)
  puts "<=>"[(Gem::Version.new(left) <=> Gem::Version.new(right)) + 1]
rescue ArgumentError => error
  raise unless error.message.start_with?("Malformed version number")

  puts "!"
end
