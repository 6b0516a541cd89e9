/*
 * paged.c - reading a stored audience piece by piece.
 *
 * Fetching a large value whole costs more than counting over it: the system
 * has to find a fresh page of memory for every two chunks.  A count needs each
 * byte once and many not at all, so it reads through a window.
 */
#include "audience/paged.h"

#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "common/bridge.h"
#include "utils/rel.h"

/* Smaller values are quicker fetched whole. */
#define PAGED_FROM (64 * 1024)
/* The first piece holds the heads of some 1,800 containers. */
#define HEAD_BYTES (16 * 1024)
#define WINDOW_BYTES (64 * 1024)
/* Where the set begins in the value as TOAST counts, which leaves out the length word. */
#define SET_FROM (CRM_AUDIENCE_HEADER - VARHDRSZ)

static struct varlena *
read_piece(crm_audience_pages *pages, Size from, Size length, struct varlena *place)
{
	SET_VARSIZE(place, length + VARHDRSZ);
	table_relation_fetch_toast_slice(pages->toast, pages->pointer.va_valueid,
									 (int32) VARATT_EXTERNAL_GET_EXTSIZE(pages->pointer),
									 (int32) from, (int32) length, place);
	return place;
}

static const uint8_t *
read_window(void *arg, size_t from, size_t length)
{
	crm_audience_pages *pages = (crm_audience_pages *) arg;

	if (from > pages->pages.size || length > pages->pages.size - from || length > WINDOW_BYTES)
		crm_check(CRM_CORRUPT, CRM_AUDIENCE_TYPE, false);
	if (from < pages->window_from || from + length > pages->window_to)
	{
		CHECK_FOR_INTERRUPTS();
		pages->window_from = from;
		pages->window_to = Min(from + WINDOW_BYTES, pages->pages.size);
		read_piece(pages, SET_FROM + from, pages->window_to - from, pages->window);
	}
	return (const uint8_t *) VARDATA(pages->window) + (from - pages->window_from);
}

bool
crm_audience_open_pages(Datum value, crm_audience_pages *pages)
{
	struct varlena *raw = (struct varlena *) DatumGetPointer(value);
	struct varlena *first;
	crm_audience *head;

	if (!VARATT_IS_EXTERNAL_ONDISK(raw))
		return false;
	VARATT_EXTERNAL_GET_POINTER(pages->pointer, raw);
	if (VARATT_EXTERNAL_IS_COMPRESSED(pages->pointer) || VARATT_EXTERNAL_GET_EXTSIZE(pages->pointer) < PAGED_FROM)
		return false;

	pages->toast = table_open(pages->pointer.va_toastrelid, AccessShareLock);
	first = read_piece(pages, 0, HEAD_BYTES, palloc(HEAD_BYTES + VARHDRSZ));
	head = (crm_audience *) first;
	pages->head = head;
	pages->pages.head.data = head->ids;
	pages->pages.head.size = HEAD_BYTES - SET_FROM;
	pages->pages.size = VARATT_EXTERNAL_GET_EXTSIZE(pages->pointer) - SET_FROM;
	pages->pages.read = read_window;
	pages->pages.arg = pages;
	pages->window = NULL;
	pages->window_from = pages->window_to = 0;
	if (head->version != CRM_AUDIENCE_VERSION || (head->flags & CRM_AUDIENCE_PENDING) ||
		!crm_ids_can_page(pages->pages.head))
	{
		crm_audience_close_pages(pages);
		return false;
	}
	pages->window = palloc(WINDOW_BYTES + VARHDRSZ);
	return true;
}

void
crm_audience_close_pages(crm_audience_pages *pages)
{
	table_close(pages->toast, AccessShareLock);
	if (pages->window)
		pfree(pages->window);
	pfree(pages->head);
}
