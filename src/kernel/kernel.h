/*
 * kernel.h - what every kernel shares: status codes, memory, progress.
 *
 * Kernels are plain C11 and know nothing of PostgreSQL.  They take an
 * environment (allocator and progress callback) and return a status.  Both
 * callbacks may leave by longjmp, so a kernel holds no resource but memory
 * that the environment's owner can free as a whole.
 */
#ifndef CRM_KERNEL_H
#define CRM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum crm_status
{
	CRM_OK = 0,
	CRM_NO_MEMORY,				/* the allocator returned NULL */
	CRM_CORRUPT,				/* bytes that are not of the stated format */
	CRM_OUT_OF_RANGE,			/* a number outside its domain */
	CRM_LIMIT					/* a stated cap would be exceeded */
} crm_status;

typedef struct crm_env
{
	void	   *(*alloc) (void *arg, size_t size);
	void	   *(*resize) (void *arg, void *ptr, size_t old_size, size_t new_size);
	void		(*release) (void *arg, void *ptr);
	void		(*progress) (void *arg);	/* called often in long loops; may be NULL */
	void	   *arg;
	void		(*step) (void *arg, uint64_t done); /* steps of a long work done so far, for those who watch; may be NULL */
} crm_env;

static inline void
crm_progress(const crm_env *env)
{
	if (env->progress)
		env->progress(env->arg);
}

static inline void
crm_step(const crm_env *env, uint64_t done)
{
	if (env->step)
		env->step(env->arg, done);
}

#define CRM_TRY(expr) \
	do { \
		crm_status crm_try_status_ = (expr); \
		if (crm_try_status_ != CRM_OK) \
			return crm_try_status_; \
	} while (0)

/* Sets target to so many bytes of env, or leaves the function. */
#define CRM_ALLOC(target, env, size) \
	do { \
		(target) = (env)->alloc((env)->arg, (size)); \
		if ((target) == NULL) \
			return CRM_NO_MEMORY; \
	} while (0)

/*
 * Functions over long arrays are compiled for several instruction sets and
 * chosen when the library is loaded; host-specific compiler flags would make
 * a package that dies of SIGILL elsewhere.
 */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(CRM_NO_TARGET_CLONES) && \
	(defined(__GNUC__) && !defined(__clang__))
#define CRM_TARGET_CLONES __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
/* The same where the foundation of AVX-512 is enough: taken on all processors that have it, not on one family. */
#define CRM_TARGET_CLONES_512F __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CRM_TARGET_CLONES
#define CRM_TARGET_CLONES_512F
#endif

/* Little-endian loads and stores at any address: stored formats are little-endian everywhere. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define CRM_LE16(x) __builtin_bswap16(x)
#define CRM_LE32(x) __builtin_bswap32(x)
#define CRM_LE64(x) __builtin_bswap64(x)
#else
#define CRM_LE16(x) (x)
#define CRM_LE32(x) (x)
#define CRM_LE64(x) (x)
#endif

static inline uint16_t
crm_load16(const void *p)
{
	uint16_t	v;

	memcpy(&v, p, sizeof(v));
	return CRM_LE16(v);
}

static inline uint32_t
crm_load32(const void *p)
{
	uint32_t	v;

	memcpy(&v, p, sizeof(v));
	return CRM_LE32(v);
}

static inline uint64_t
crm_load64(const void *p)
{
	uint64_t	v;

	memcpy(&v, p, sizeof(v));
	return CRM_LE64(v);
}

static inline void
crm_store16(void *p, uint16_t v)
{
	v = CRM_LE16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void
crm_store32(void *p, uint32_t v)
{
	v = CRM_LE32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void
crm_store64(void *p, uint64_t v)
{
	v = CRM_LE64(v);
	memcpy(p, &v, sizeof(v));
}

static inline int
crm_popcount64(uint64_t v)
{
	return __builtin_popcountll(v);
}

static inline int
crm_ctz64(uint64_t v)
{
	return __builtin_ctzll(v);
}

#endif							/* CRM_KERNEL_H */
