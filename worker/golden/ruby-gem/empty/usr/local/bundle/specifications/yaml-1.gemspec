--- !ruby/object:Gem::Specification
name: yaml
version: !ruby/object:Gem::Version
  version: '1'
