Gem::Specification.new do |spec|
  spec.name          = 'tool'
  spec.version       = '1.0'
  spec.license       = 'GPL-2.0+'
end
