# Models by name survive dump and restore: the same scores to the last bit, versions, states, grants and marks; and they can be trained anew.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('models');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "search_path = 'crm, public'\nclient_min_messages = error\n");
$node->start;
$node->safe_psql('postgres', q{CREATE ROLE author LOGIN; CREATE ROLE checker LOGIN; CREATE ROLE reader LOGIN; CREATE DATABASE one});
$node->safe_psql('one', q{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	GRANT USAGE ON SCHEMA crm TO PUBLIC;
	GRANT ALL ON SCHEMA public TO PUBLIC;
	CREATE TABLE past AS SELECT i AS id, (i * 37 % 1000) / 7.0 AS a, sin(i) AS b, 'k' || i % 5 AS "Kind é", CASE WHEN i % 9 > 0 THEN i % 13 END AS gaps, date '2025-01-01' + i % 300 AS day,
		i % 7 AS frequency, (i % 7 > 0)::int * (1 + i * 31 % 30) AS recency, 40 + i % 13 AS age, i % 4 AS later, 1 + i * 7919 % 61 AS months,
		(i * 37 % 1000) / 7.0 + 30 * sin(i) + 10 * (i % 5) > 90 AS yes FROM generate_series(1, 3000) AS i;
	GRANT ALL ON past TO PUBLIC;
	SET ROLE author;
	SELECT train(a, a, 'SELECT id, a, b, "Kind é", gaps, day, yes FROM past', 'yes', '{"key": "id"}') FROM unnest('{logistic,boosted_trees,naive_bayes,scorecard}'::text[]) AS a;
	SELECT train('linear', 'linear', 'SELECT id, a, b, "Kind é", day, gaps FROM past', 'gaps', '{"time": "day"}');
	SELECT train('cox', 'cox', 'SELECT id, a, b, "Kind é", months, yes FROM past', 'yes', '{"key": "id", "duration": "months"}');
	SELECT train('bg_nbd', 'bg_nbd', 'SELECT id, frequency, recency, age, later FROM past', 'later', '{"key": "id", "horizon": 26}');
	SELECT train('members', 'logistic', $$SELECT id, yes, jsonb_build_object('a', a, 'kind', "Kind é") AS o FROM past$$, 'yes', '{"key": "id", "sample": 0.7}');
	SELECT store_model('carried', model('linear'));
	SELECT retrain('logistic'), train('logistic', 'logistic', 'SELECT id, a, yes FROM past', 'yes', '{"key": "id", "state": "draft"}'), alter_model('logistic', 2, 'retired');
	SELECT alter_model('scorecard', true), train('scorecard', 'scorecard', 'SELECT id, a, yes FROM past', 'yes', '{"key": "id"}');
	SELECT grant_model('logistic', 'reader'), grant_model('scorecard', 'checker', 'approve'), grant_model('boosted_trees', 'public');
	SELECT count(*) FROM model_drift('naive_bayes', 'SELECT a + 100 AS a, b, "Kind é", gaps, day FROM past');
	SET ROLE checker;
	SELECT alter_model('scorecard', 2, 'approved');
});

my @questions = (
	'scores' => q{SELECT md5(string_agg(concat_ws(' ', id, predict('logistic', p), predict('boosted_trees', p), predict('naive_bayes', p), predict('scorecard', p), predict('linear', p), predict('cox', p), predict('bg_nbd', p),
		predict('members', jsonb_build_object('a', a, 'kind', "Kind é"))), E'\n' ORDER BY id)) FROM past AS p},
	'reasons' => q{SELECT md5(string_agg(e::text, E'\n' ORDER BY id, e.feature)) FROM past AS p, explain('boosted_trees', p) AS e WHERE id <= 50},
	'catalogue' => q{SELECT string_agg(c::text, E'\n' ORDER BY name) FROM model_catalog AS c},
	'versions' => q{SELECT md5(string_agg(v::text, E'\n' ORDER BY name, version)) FROM model_version AS v},
	'grants' => q{SELECT string_agg(g::text, E'\n' ORDER BY g::text) FROM model_grant AS g},
	'measures' => q{SELECT string_agg(e::text, ' ') FROM evaluate('boosted_trees', 'SELECT * FROM past WHERE id % 3 = 0', 'yes') AS e},
	'drift' => q{SELECT string_agg(d::text, ' ') FROM model_drift('cox', 'SELECT a * 1.3 AS a, b, "Kind é" FROM past', '{"mark": false}') AS d});
my %before;
my $file = $node->basedir . '/models.sql';
for (my $i = 0; $i < @questions; $i += 2)
{
	$before{$questions[$i]} = $node->safe_psql('one', $questions[$i + 1]);
}
cmp_ok(length $before{catalogue}, '>', 1000, 'there is something to compare');
like($before{catalogue}, qr/stale/, 'a stale model among it');
is($node->safe_psql('one', 'SELECT count(*) FROM model_version'), '12', 'versions in all');

foreach my $way ([ 'plain', [ 'pg_dump', '--file', $file, $node->connstr('one') ], sub { $node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($_[0]), '-f', $file ], 'restored') } ],
	[ 'custom', [ 'pg_dump', '--format=custom', '--file', $file, $node->connstr('one') ], sub { $node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname', $node->connstr($_[0]), $file ], 'restored') } ])
{
	my ($name, $dump, $restore) = @$way;

	unlink $file;
	$node->command_ok($dump, "dumped, $name");
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$restore->($name);
	for (my $i = 0; $i < @questions; $i += 2)
	{
		is($node->safe_psql($name, $questions[$i + 1]), $before{$questions[$i]}, "$name: the same $questions[$i]");
	}
	is($node->safe_psql($name, q{SELECT predict('logistic', p) > 0 FROM past AS p WHERE id = 1}, extra_params => [ '-U', 'reader' ]), 't', "$name: whom it was granted to scores");
	my ($status, $out, $err) = $node->psql($name, q{SELECT predict('linear', p) FROM past AS p WHERE id = 1}, extra_params => [ '-U', 'reader' ]);
	like($err, qr/permission denied for model "linear"/, "$name: others do not");
	is($node->safe_psql($name, q{SELECT r -> 'version' FROM retrain('boosted_trees') AS r}, extra_params => [ '-U', 'author' ]), '2', "$name: trained anew");
	is($node->safe_psql($name, q{SELECT r ->> 'fingerprint' = v.fingerprint FROM train('again', 'cox', 'SELECT id, a, b, "Kind é", months, yes FROM past', 'yes', '{"key": "id", "duration": "months"}') AS r, model_version AS v WHERE v.name = 'cox'},
			extra_params => [ '-U', 'author' ]), 't', "$name: the fingerprint of the same rows");
}

$node->stop;
done_testing();
