%% This is an -*- erlang -*- file.
{application, kernel,
 [
  {description, "ERTS  CXC 138 10"},
  {vsn, "8.5.3"},
  {modules, [application]}
 ]
}.
