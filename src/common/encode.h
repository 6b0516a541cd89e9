/*
 * encode.h - base64 of values whose text form has no other use than to travel.
 */
#ifndef CRM_ENCODE_H
#define CRM_ENCODE_H

#include "common/crm.h"

extern char *crm_base64_encode(const char *data, Size size);
/* NULL when the text is not base64. */
extern char *crm_base64_decode(const char *text, Size *size);

#endif							/* CRM_ENCODE_H */
