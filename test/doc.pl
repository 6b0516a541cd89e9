print "ok documents\n";
