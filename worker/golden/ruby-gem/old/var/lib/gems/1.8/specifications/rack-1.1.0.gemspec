# -*- encoding: utf-8 -*-

Gem::Specification.new do |s|
  s.name = %q{rack}
  s.version = "1.1.0"

  s.authors = [%q{Example Author}]
  s.summary = %q{a modular interface}
end
