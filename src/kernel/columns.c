/*
 * columns.c - rows of numbers in compact columns: see columns.h.
 *
 * Written form: blocks one after the other, each the number of rows and of
 * bytes (32 bits each), then the columns in order, each a byte of form and its
 * numbers, all little-endian.
 */
#include "kernel/columns.h"

#include <math.h>

typedef enum column_form
{
	FORM_CONSTANT = 0,			/* one double, missing in all rows where NaN */
	FORM_BYTES = 1,				/* smallest number, then a byte above it for each row; 255 is missing */
	FORM_SHORTS = 2,			/* the same in two bytes; 65535 is missing */
	FORM_FLOATS = 3,
	FORM_DOUBLES = 4
} column_form;

#define BLOCK_HEADER 8
#define SMALLEST_ROOM 16

static uint32_t
block_rows(uint32_t width)
{
	uint32_t	rows = 65536 / width;

	if (rows > CRM_COLUMNS_MAX_BLOCK)
		return CRM_COLUMNS_MAX_BLOCK;
	return rows < 64 ? 64 : rows;
}

void
crm_columns_init(crm_columns *columns, const crm_env *env, uint32_t width, size_t max_bytes)
{
	memset(columns, 0, sizeof(*columns));
	columns->env = *env;
	columns->width = width;
	columns->max_bytes = max_bytes;
}

/* ---- numbers --------------------------------------------------------- */

static void
store_double(uint8_t *data, double number)
{
	uint64_t	bits;

	memcpy(&bits, &number, sizeof(bits));
	crm_store64(data, bits);
}

static double
load_double(const uint8_t *data)
{
	uint64_t	bits = crm_load64(data);
	double		number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

static void
store_float(uint8_t *data, float number)
{
	uint32_t	bits;

	memcpy(&bits, &number, sizeof(bits));
	crm_store32(data, bits);
}

static float
load_float(const uint8_t *data)
{
	uint32_t	bits = crm_load32(data);
	float		number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

static size_t
form_size(column_form form, uint32_t rows)
{
	switch (form)
	{
		case FORM_CONSTANT:
			return 8;
		case FORM_BYTES:
			return 8 + (size_t) rows;
		case FORM_SHORTS:
			return 8 + (size_t) rows * 2;
		case FORM_FLOATS:
			return (size_t) rows * 4;
		default:
			return (size_t) rows * 8;
	}
}

/* The narrowest form of a column of pending rows, and its smallest number. */
static column_form
choose_form(const double *numbers, uint32_t rows, uint32_t stride, double *smallest)
{
	double		low = INFINITY,
				high = -INFINITY;
	bool		whole = true,
				narrow = true;
	uint32_t	missing = 0;

	for (uint32_t i = 0; i < rows; i++)
	{
		double		number = numbers[(size_t) i * stride];

		if (isnan(number))
		{
			missing++;
			continue;
		}
		if (number < low)
			low = number;
		if (number > high)
			high = number;
		whole = whole && fabs(number) <= 9007199254740992.0 && number == floor(number);
		narrow = narrow && fabs(number) <= 3e38 && (double) (float) number == number;
	}
	*smallest = missing == rows ? NAN : low;
	if (missing == rows || (missing == 0 && low == high))
		return FORM_CONSTANT;
	if (whole && high - low < 255)
		return FORM_BYTES;
	if (whole && high - low < 65535)
		return FORM_SHORTS;
	return narrow ? FORM_FLOATS : FORM_DOUBLES;
}

static uint8_t *
write_column(uint8_t *at, const double *numbers, uint32_t rows, uint32_t stride)
{
	double		smallest;
	column_form form = choose_form(numbers, rows, stride, &smallest);

	*at++ = (uint8_t) form;
	if (form <= FORM_SHORTS)
	{
		store_double(at, smallest);
		if (form == FORM_CONSTANT)
			return at + 8;
	}
	for (uint32_t i = 0; i < rows; i++)
	{
		double		number = numbers[(size_t) i * stride];

		switch (form)
		{
			case FORM_BYTES:
				at[8 + i] = isnan(number) ? 255 : (uint8_t) (number - smallest);
				break;
			case FORM_SHORTS:
				crm_store16(at + 8 + (size_t) i * 2, isnan(number) ? 65535 : (uint16_t) (number - smallest));
				break;
			case FORM_FLOATS:
				store_float(at + (size_t) i * 4, isnan(number) ? NAN : (float) number);
				break;
			default:
				store_double(at + (size_t) i * 8, isnan(number) ? NAN : number);
		}
	}
	return at + form_size(form, rows);
}

static size_t
pending_size(const crm_columns *columns)
{
	size_t		size = 0;

	for (uint32_t c = 0; c < columns->width; c++)
	{
		double		smallest;

		size += 1 + form_size(choose_form(columns->pending + c, columns->pending_rows, columns->width, &smallest),
							  columns->pending_rows);
	}
	return size;
}

static void
write_pending(const crm_columns *columns, uint8_t *data)
{
	for (uint32_t c = 0; c < columns->width; c++)
		data = write_column(data, columns->pending + c, columns->pending_rows, columns->width);
}

/* ---- adding ---------------------------------------------------------- */

static crm_status
reserve(crm_columns *columns, size_t bytes)
{
	if (bytes > columns->max_bytes || columns->bytes > columns->max_bytes - bytes)
		return CRM_LIMIT;
	columns->bytes += bytes;
	return CRM_OK;
}

/* An entry for one more block, whose bytes the caller fills. */
static crm_status
new_block(crm_columns *columns, uint32_t rows, size_t size, uint8_t **data)
{
	const crm_env *env = &columns->env;
	crm_columns_block *block;

	if (columns->block_count == columns->block_room)
	{
		size_t		room = columns->block_room == 0 ? 16 : columns->block_room * 2;

		CRM_TRY(reserve(columns, (room - columns->block_room) * sizeof(crm_columns_block)));
		columns->blocks = env->resize(env->arg, columns->blocks, columns->block_room * sizeof(crm_columns_block),
									  room * sizeof(crm_columns_block));
		if (columns->blocks == NULL)
			return CRM_NO_MEMORY;
		columns->block_room = room;
	}
	CRM_TRY(reserve(columns, size));
	*data = env->alloc(env->arg, size);
	if (*data == NULL)
		return CRM_NO_MEMORY;
	block = &columns->blocks[columns->block_count++];
	block->rows = rows;
	block->size = (uint32_t) size;
	block->data = *data;
	return CRM_OK;
}

crm_status
crm_columns_add(crm_columns *columns, double **row)
{
	const crm_env *env = &columns->env;
	uint32_t	most = block_rows(columns->width);

	if (columns->pending_rows == most)
	{
		uint8_t    *data;

		CRM_TRY(new_block(columns, columns->pending_rows, pending_size(columns), &data));
		write_pending(columns, data);
		columns->pending_rows = 0;
	}
	if (columns->pending_rows == columns->pending_room)
	{
		uint32_t	room = columns->pending_room == 0 ? SMALLEST_ROOM : columns->pending_room * 2;
		size_t		row_size = sizeof(double) * columns->width;

		if (room > most)
			room = most;
		CRM_TRY(reserve(columns, (room - columns->pending_room) * row_size));
		columns->pending = env->resize(env->arg, columns->pending, columns->pending_room * row_size, room * row_size);
		if (columns->pending == NULL)
			return CRM_NO_MEMORY;
		columns->pending_room = room;
	}
	*row = columns->pending + (size_t) columns->pending_rows * columns->width;
	return CRM_OK;
}

/* ---- reading --------------------------------------------------------- */

static void
read_column(const uint8_t *at, uint32_t rows, double *numbers)
{
	column_form form = (column_form) *at++;
	double		smallest = form <= FORM_SHORTS ? load_double(at) : 0;

	switch (form)
	{
		case FORM_CONSTANT:
			for (uint32_t i = 0; i < rows; i++)
				numbers[i] = smallest;
			break;
		case FORM_BYTES:
			for (uint32_t i = 0; i < rows; i++)
				numbers[i] = at[8 + i] == 255 ? NAN : smallest + at[8 + i];
			break;
		case FORM_SHORTS:
			for (uint32_t i = 0; i < rows; i++)
			{
				uint16_t	above = crm_load16(at + 8 + (size_t) i * 2);

				numbers[i] = above == 65535 ? NAN : smallest + above;
			}
			break;
		case FORM_FLOATS:
			for (uint32_t i = 0; i < rows; i++)
				numbers[i] = load_float(at + (size_t) i * 4);
			break;
		default:
			for (uint32_t i = 0; i < rows; i++)
				numbers[i] = load_double(at + (size_t) i * 8);
	}
}

void
crm_columns_read(const crm_columns *columns, size_t part, uint32_t column, double *numbers)
{
	if (part < columns->block_count)
	{
		const crm_columns_block *block = &columns->blocks[part];
		const uint8_t *at = block->data;

		for (uint32_t c = 0; c < column; c++)
			at += 1 + form_size((column_form) *at, block->rows);
		read_column(at, block->rows, numbers);
	}
	else
		for (uint32_t i = 0; i < columns->pending_rows; i++)
			numbers[i] = columns->pending[(size_t) i * columns->width + column];
}

/* ---- the written form ------------------------------------------------ */

size_t
crm_columns_size(const crm_columns *columns)
{
	size_t		size = columns->pending_rows > 0 ? BLOCK_HEADER + pending_size(columns) : 0;

	for (size_t i = 0; i < columns->block_count; i++)
		size += BLOCK_HEADER + (size_t) columns->blocks[i].size;
	return size;
}

void
crm_columns_write(const crm_columns *columns, uint8_t *data)
{
	for (size_t i = 0; i < columns->block_count; i++)
	{
		const crm_columns_block *block = &columns->blocks[i];

		crm_store32(data, block->rows);
		crm_store32(data + 4, block->size);
		memcpy(data + BLOCK_HEADER, block->data, block->size);
		data += BLOCK_HEADER + block->size;
	}
	if (columns->pending_rows > 0)
	{
		crm_store32(data, columns->pending_rows);
		crm_store32(data + 4, (uint32_t) pending_size(columns));
		write_pending(columns, data + BLOCK_HEADER);
	}
}

/* Whether bytes are the columns of so many rows, every number finite or missing. */
static bool
block_is_valid(const uint8_t *data, size_t size, uint32_t width, uint32_t rows)
{
	double		numbers[CRM_COLUMNS_MAX_BLOCK];

	for (uint32_t c = 0; c < width; c++)
	{
		size_t		column;

		if (size < 1 || data[0] > FORM_DOUBLES)
			return false;
		column = 1 + form_size((column_form) data[0], rows);
		if (size < column)
			return false;
		read_column(data, rows, numbers);
		for (uint32_t i = 0; i < rows; i++)
			if (isinf(numbers[i]))
				return false;
		data += column;
		size -= column;
	}
	return size == 0;
}

crm_status
crm_columns_merge(crm_columns *columns, const uint8_t *data, size_t size)
{
	while (size > 0)
	{
		uint32_t	rows,
					bytes;
		uint8_t    *copy;

		crm_progress(&columns->env);
		if (size < BLOCK_HEADER)
			return CRM_CORRUPT;
		rows = crm_load32(data);
		bytes = crm_load32(data + 4);
		data += BLOCK_HEADER;
		size -= BLOCK_HEADER;
		if (rows == 0 || rows > block_rows(columns->width) || bytes > size ||
			!block_is_valid(data, bytes, columns->width, rows))
			return CRM_CORRUPT;
		CRM_TRY(new_block(columns, rows, bytes, &copy));
		memcpy(copy, data, bytes);
		columns->rows += rows;
		data += bytes;
		size -= bytes;
	}
	return CRM_OK;
}
