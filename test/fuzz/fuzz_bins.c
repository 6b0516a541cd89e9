/*
 * fuzz_bins.c - any text as bins, and any bytes: refused, or the same again by way
 * of the other form, and each number in the bin that counting says.
 */
#include "fuzz.h"

#include "kernel/bins.h"

static void
look(const crm_bins *bins)
{
	for (uint32_t i = 0; i < bins->count; i++)
	{
		double		cut = crm_bins_cut(bins, i);

		if (!isnan(cut))
			REQUIRE(crm_bins_find(bins, cut) >= 1 && crm_bins_find(bins, cut) <= (int) bins->count + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size + 1);
	double		cuts[CRM_BINS_MAX_CUTS];
	uint32_t	count;
	bool		inclusive;
	char		problem[CRM_BINS_PROBLEM];
	crm_bins	bins;

	memcpy(text, data, size);
	text[size] = '\0';
	if (crm_bins_parse(text, cuts, &count, &inclusive, problem) == CRM_OK)
	{
		uint8_t    *bytes = malloc(crm_bins_size(count));

		crm_bins_write(inclusive, cuts, count, bytes);
		REQUIRE(crm_bins_open(bytes, crm_bins_size(count), &bins) == CRM_OK);
		REQUIRE(bins.count == count && bins.inclusive == inclusive);
		for (uint32_t i = 0; i < count; i++)
		{
			REQUIRE(crm_bins_cut(&bins, i) == cuts[i]);
			REQUIRE(crm_bins_find(&bins, cuts[i]) == (int) (inclusive ? i + 1 : i + 2));
		}
		free(bytes);
	}
	free(text);
	if (crm_bins_open(data, size, &bins) == CRM_OK)
		look(&bins);
	return 0;
}
