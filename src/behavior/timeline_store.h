/*
 * timeline_store.h - the tables of stored timelines: a row for each customer and
 * period, the newest in customer_timeline, older ones in timeline_archive.
 *
 * Rows are read and written directly, as the tables' owner would; the callers
 * have checked rights.
 */
#ifndef CRM_BEHAVIOR_TIMELINE_STORE_H
#define CRM_BEHAVIOR_TIMELINE_STORE_H

#include "behavior/timeline.h"
#include "access/htup.h"
#include "catalog/indexing.h"
#include "tag/tag.h"

/* ---- what the catalogue says ------------------------------------------------------ */

/* Columns of customer_timeline and of timeline_archive. */
enum
{
	CUSTOMER_ID = 1, CUSTOMER_LAST_AT, CUSTOMER_POPULATION, CUSTOMER_ARCHIVED, CUSTOMER_EVENTS
};
enum
{
	ARCHIVE_CUSTOMER = 1, ARCHIVE_PERIOD, ARCHIVE_POPULATION, ARCHIVE_EVENTS
};
#define MOST_COLUMNS 5

/* The events of a population: a relation and its columns. */
typedef struct timeline_mapping
{
	Oid			relation;
	char	   *relation_name;	/* qualified and quoted */
	char	   *key;
	char	   *time;
	char	   *name;
	char	   *value;			/* NULL: none */
	int			channels;
	char	   *channel[CRM_TIMELINE_MAX_CHANNELS];
	int			columns;		/* all of the above */
	char	   *column[CRM_TIMELINE_MAX_CHANNELS + 4];
} timeline_mapping;

/* How they are stored. */
typedef struct timeline_settings
{
	bool		exists;			/* something was stored */
	int			months;			/* of a period */
	Interval   *lateness;
	char	   *arrival;		/* NULL: none */
	char	   *zone;			/* for times without zone */
	bool		has_watermark;
	TimestampTz watermark;		/* time of the newest event stored */
	TimestampTz kept_from;		/* earlier events are not wanted; DT_NOBEGIN: all are */
} timeline_settings;

/* NULL when the population has no events, or missing_ok and the relation is gone. */
extern timeline_mapping *timeline_mapping_read(const crm_population *population, bool missing_ok);
extern void timeline_settings_read(const crm_population *population, timeline_settings *settings);

/* 42501 unless the current user may read the timelines of all customers. */
extern void timeline_require_all(const crm_population *population);

/* ---- periods ------------------------------------------------------------------------ */

/* A period of the calendar, in UTC; start = end: none yet. */
typedef struct timeline_period
{
	int			months;			/* 1, 3 or 12 */
	TimestampTz start;
	TimestampTz end;
} timeline_period;

extern int	timeline_period_months(const char *name);	/* 22023 for an unknown one */
extern const char *timeline_period_name(int months);
/* Moves to the period that holds a time. */
extern void timeline_period_find(timeline_period *period, TimestampTz at);

/* ---- rows ------------------------------------------------------------------------------ */

/* Rows that are written many at a time, and entered into the index in the order of customers. */
typedef struct timeline_bulk timeline_bulk;

typedef struct timeline_table
{
	Relation	relation;
	Relation	index;
	bool		archive;
	CatalogIndexState indexes;	/* NULL when only read */
	bool		may_bulk;		/* nobody else's index is there */
	timeline_bulk *bulk;
} timeline_table;

extern void timeline_table_open(timeline_table *table, bool archive, LOCKMODE mode);
/* What was put into the bulk is written. */
extern void timeline_table_close(timeline_table *table, LOCKMODE mode);

/* One stored piece, copied. */
typedef struct timeline_piece
{
	HeapTuple	tuple;
	TimestampTz at;				/* last_at, or the start of the period */
	bool		archived;
	Datum		events;			/* detoasted */
} timeline_piece;

/* The customer's row; false if there is none. */
extern bool timeline_fetch(const timeline_table *customers, int32 population, int64 customer, timeline_piece *piece);
/* His pieces in the archive, ascending by period, as an array. */
extern timeline_piece *timeline_fetch_archive(const timeline_table *archive, int32 population, int64 customer, int *count);

extern void timeline_insert(timeline_table *table, int32 population, int64 customer, TimestampTz at, bool archived, Datum events);
extern void timeline_update(timeline_table *table, const timeline_piece *old, TimestampTz at, bool archived, Datum events);
extern void timeline_delete(timeline_table *table, const timeline_piece *old);

/* Walks over all customers of a population that had events at or after a time. */
extern void timeline_each_since(const timeline_table *customers, int32 population, TimestampTz since,
								void (*visit) (void *arg, int64 customer), void *arg);

/* The pieces, which do not overlap, as one. */
extern Datum timeline_join_pieces(crm_timeline_writer *writer, const timeline_piece *pieces, int count, Datum newest);

#endif							/* CRM_BEHAVIOR_TIMELINE_STORE_H */
