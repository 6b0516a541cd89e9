/*
 * scanner.h - a place in a text that is read from left to right: for the text
 * forms of small values, which are JSON of one level.
 */
#ifndef CRM_KERNEL_SCANNER_H
#define CRM_KERNEL_SCANNER_H

#include "kernel/kernel.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

typedef struct crm_scanner
{
	const char *text;			/* ends with a zero byte */
	const char *at;
} crm_scanner;

static inline void
crm_scan_space(crm_scanner *scan)
{
	while (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')
		scan->at++;
}

/* The number of the byte that comes next behind white space, counted from 1. */
static inline size_t
crm_scan_place(crm_scanner *scan)
{
	crm_scan_space(scan);
	return (size_t) (scan->at - scan->text) + 1;
}

/* Takes a word or sign if it comes next. */
static inline bool
crm_scan_take(crm_scanner *scan, const char *word)
{
	size_t		length = strlen(word);

	crm_scan_space(scan);
	if (strncmp(scan->at, word, length) != 0)
		return false;
	scan->at += length;
	return true;
}

/* Does nothing but white space come until the end? */
static inline bool
crm_scan_end(crm_scanner *scan)
{
	crm_scan_space(scan);
	return *scan->at == '\0';
}

/* Takes a decimal number of length bytes.  CRM_CORRUPT: none comes next; CRM_OUT_OF_RANGE: float8 does not hold it. */
static inline crm_status
crm_scan_number(crm_scanner *scan, double *number, size_t *length)
{
	char	   *end;

	crm_scan_space(scan);
	/* strtod also reads inf, nan and hexadecimal numbers: it must stop where the decimal digits do. */
	*length = strspn(scan->at, "+-.0123456789eE");
	if (*length == 0)
		return CRM_CORRUPT;
	errno = 0;
	*number = strtod(scan->at, &end);
	if (end != scan->at + *length)
		return CRM_CORRUPT;
	if (errno == ERANGE && (*number == 0 || isinf(*number)))
		return CRM_OUT_OF_RANGE;
	scan->at = end;
	return CRM_OK;
}

#endif							/* CRM_KERNEL_SCANNER_H */
