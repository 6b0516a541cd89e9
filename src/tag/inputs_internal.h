/*
 * inputs_internal.h - what the files of rules' inputs share among themselves.
 *
 * The functions look an input up as it is now: false when there is none.  The
 * mark costs a look into a cache; the definition may have to be written out.
 */
#ifndef CRM_TAG_INPUTS_INTERNAL_H
#define CRM_TAG_INPUTS_INTERNAL_H

#include "tag/inputs.h"
#include "tag/rule_internal.h"

extern bool crm_input_column(Oid relation, const char *name, crm_input *input, bool with_definition);
extern bool crm_input_function(Oid oid, crm_input *input, bool with_definition);
extern bool crm_input_view(Oid relation, crm_input *input, bool with_definition);
extern bool crm_input_events(const crm_population *population, crm_input *input);

#endif							/* CRM_TAG_INPUTS_INTERNAL_H */
