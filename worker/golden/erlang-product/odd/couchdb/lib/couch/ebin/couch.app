{application,couch,[{description,"none"}]}.
