{application,half,[{modules,[]}]}.
