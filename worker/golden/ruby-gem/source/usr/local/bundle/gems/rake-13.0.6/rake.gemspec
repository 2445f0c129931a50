Gem::Specification.new do |s|
  s.name = 'rake'
  s.version = Rake::VERSION
end
