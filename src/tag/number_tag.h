/*
 * number_tag.h - the numbers of numeric tags: taken from the rule, put together
 * from the stored slices, compared.
 */
#ifndef CRM_NUMBER_TAG_H
#define CRM_NUMBER_TAG_H

#include "kernel/bsi.h"
#include "kernel/segment_expr.h"
#include "kernel/tag_sets.h"
#include "tag/history.h"
#include "tag/tag.h"

/* Value numbers of a numeric tag's sets; formats.md describes them. */
#define CRM_SLICE_PRESENT CRM_NO_VALUE
#define CRM_SLICE_SIGN 1
#define CRM_SLICE_FIRST_BIT 2

typedef enum crm_number_fault
{
	CRM_NUMBER_FINE,
	CRM_NUMBER_SPECIAL,			/* NaN or infinite */
	CRM_NUMBER_WIDE				/* too many digits */
} crm_number_fault;

/* A rule's result as a tag keeps it, without zeros at the end. */
extern crm_number_fault crm_number_take(Datum numeric, crm_tag_number *number);
/* Adds the errdetail of a fault to the report at hand. */
extern int	crm_number_detail(crm_number_fault fault);
/* Without zeros at the end. */
extern char *crm_number_text(crm_int128 value, int scale);

/* The numbers of a tag in the scopes given, now or as of then, as sets in the environment's memory. */
extern const crm_bsi *crm_numbers_read(const crm_population *population, const crm_past *past, const crm_tag *tag,
									   const crm_scopes *scopes, const crm_env *env);
/* The same of slices that come from elsewhere; scale: digits behind the point, where anybody has a number. */
typedef crm_ids (*crm_slice_reader) (void *arg, int slice);
extern crm_bsi *crm_numbers_assemble(crm_slice_reader read, void *arg, int slices, int scale, const crm_env *env);
/* 42804 unless what a segment compares the tag with is a number. */
extern void crm_number_check(const crm_tag *tag, const char *written);
/* Who has a number that is less, not less and so on than the one written. */
extern crm_ids_builder *crm_numbers_compare(const crm_bsi *bsi, const crm_tag *tag, crm_segment_test test,
											const char *written, const crm_env *env);

#endif							/* CRM_NUMBER_TAG_H */
