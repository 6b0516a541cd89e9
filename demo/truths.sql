-- What data.sql planted, and what the tags must therefore find.  The numbers
-- follow from the customers' numbers alone.
\if :{?customers} \else \set customers 100000 \endif
CREATE TABLE bank.truth (no int PRIMARY KEY, truth text NOT NULL, expected bigint NOT NULL);
INSERT INTO bank.truth VALUES
	(1, 'customers in the population', :customers),
	(2, 'dormant customers with a million or more', :customers / 250),
	(3, 'customers on the private banking list, all with a million or more', :customers / 1000),
	(4, 'customers on that list who are dormant', 0),
	(5, 'leaving customers of Xi''an Gaoxin, two of five', :customers / 50),
	(6, 'leaving customers of the other nineteen branches, two of a hundred', :customers / 1000 * 19),
	(7, 'night owls', :customers / 25),
	(8, 'customers paid on the 10th', :customers / 10),
	(9, 'customers paid on the 25th', :customers / 10),
	(10, 'customers paid by us who are night owls', 0),
	(11, 'planted regulars among RFM''s champions', :customers / 50);
