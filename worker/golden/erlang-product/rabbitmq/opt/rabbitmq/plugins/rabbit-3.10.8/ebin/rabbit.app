{application, 'rabbit', [
	{description, "RabbitMQ"},
	{vsn, "3.10.8"},
	{id, ""},
	{modules, []}
]}.
