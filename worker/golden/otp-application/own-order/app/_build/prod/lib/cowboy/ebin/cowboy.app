{application, 'cowboy', [
	{description, "Small, fast, modern HTTP server. {vsn, \"9\"}"},
	{vsn, "2.10.0"},
	{modules, ['cowboy','cowboy_app']},
	{applications, [kernel,stdlib,crypto,cowlib,ranch]},
	{mod, {cowboy_app, []}},
	{env, [{vsn, nothing}, {deep, [{vsn, "8"}]}]}
]}.
