/* Answers the time of day as it is plus so many seconds as the file named by STEPPED_CLOCK says for this process: 64-bit
   numbers, one a place. The place is STEPPED_PLACE, or the number of the worker that the command line ends with, or 0.

   Behind the places stands when which offset was the right one: pairs of a moment in nanoseconds and of seconds, the
   oldest first, with zeros behind. A file's status changed at a moment of a right clock. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 16, MOMENTS = 1000 };
static const volatile int64_t *offset, *moments;

static int place_of(int words, char **word) {
    const char *named = getenv("STEPPED_PLACE");
    if (named) return atoi(named);
    return words > 1 && !strcmp(word[words - 2], "worker") ? atoi(word[words - 1]) : 0;
}

__attribute__((constructor)) static void begin(int words, char **word) {
    const char *path = getenv("STEPPED_CLOCK");
    int place = place_of(words, word), file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *seen = mmap(0, (PLACES + 2 * MOMENTS) * sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (seen == MAP_FAILED || place < 0 || place >= PLACES) return;
    offset = (const volatile int64_t *)seen + place;
    moments = (const volatile int64_t *)seen + PLACES;
}

int clock_gettime(clockid_t which, struct timespec *told) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(which, told);
    if (!status && offset && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) told->tv_sec += *offset;
    return status;
}

int gettimeofday(struct timeval *told, void *zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    told->tv_sec = now.tv_sec;
    told->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *told) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}

int stat64(const char *path, struct stat64 *told) {
    static int (*real)(const char *, struct stat64 *);
    if (!real) real = (int (*)(const char *, struct stat64 *))dlsym(RTLD_NEXT, "stat64");
    int status = real(path, told);
    if (status || !moments) return status;
    int64_t at = told->st_ctim.tv_sec * 1000000000LL + told->st_ctim.tv_nsec, ahead = 0;
    for (int each = 0; each < MOMENTS && moments[2 * each] && moments[2 * each] <= at; each++)
        ahead = moments[2 * each + 1];
    told->st_ctim.tv_sec += ahead;
    return 0;
}
