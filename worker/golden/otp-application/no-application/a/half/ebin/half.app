{something,half,[{vsn,"1"}]}.
