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
	(11, 'planted regulars among RFM''s champions', :customers / 50),
	(12, 'customers who began with the loan calculator', :customers / 10),
	(13, 'of them, applied for a loan', :customers / 100 * 6),
	(14, 'of them, signed it', :customers / 100 * 4),
	(15, 'of them, had the money within two weeks', :customers / 100 * 2),
	(16, 'customers who applied and did not sign', :customers / 100 * 2),
	(17, 'alerts about sessions with a crash in the whole year', 1),
	(18, 'days it lasted, from the 21st of September', 2),
	(19, 'of the lapsed shopper''s order, tags wrong before it', 0),
	(20, 'tags wrong at once, before its transaction ended', 0),
	(21, 'tags wrong once the changes were folded', 0);
