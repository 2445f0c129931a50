module example.com/shop

go 1.22.0

toolchain go1.22.3

replace example.com/ours => ../ours

replace github.com/gogo/protobuf v1.3.1 => github.com/gogo/protobuf v1.3.2

require (
	example.com/ours v0.0.0-00010101000000-000000000000
	github.com/docker/docker v26.1.0+incompatible
	github.com/gogo/protobuf v1.3.1
)

require (
	golang.org/x/net v0.17.0 // indirect
	golang.org/x/tools v0.0.0-20191119224855-298f0cb1881e // indirect
)

require gopkg.in/yaml.v3 v3.0.1 // indirect

exclude golang.org/x/net v0.16.0

retract (
	v1.0.0 // published by mistake
	[v1.1.0, v1.2.0]
)

tool golang.org/x/tools/cmd/stringer
