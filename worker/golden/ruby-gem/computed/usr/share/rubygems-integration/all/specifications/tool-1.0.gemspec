require_relative 'lib/tool/version'

Gem::Specification.new do |spec|
  spec.name = 'tool'
  spec.version = Tool::VERSION
  spec.license = 'MIT'
end
