/*
 * language.c - in which language something is said.
 */
#include "common/crm.h"

#include "common/language.h"

bool
crm_language_is_chinese(const char *language)
{
	if (strcmp(language, "en") != 0 && strcmp(language, "zh") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown language \"%s\"", language),
				 errhint("Known are 'en' and 'zh'.")));
	return strcmp(language, "zh") == 0;
}
