/*
 * language.h - in which language something is said.
 */
#ifndef CRM_COMMON_LANGUAGE_H
#define CRM_COMMON_LANGUAGE_H

/* Of the two, "en" and "zh", in which the extension writes itself; 22023 for another. */
extern bool crm_language_is_chinese(const char *language);

#endif							/* CRM_COMMON_LANGUAGE_H */
