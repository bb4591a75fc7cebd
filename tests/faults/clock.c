/* Answers the time of day as it is plus so many seconds as the file named by STEPPED_CLOCK says for this process: 64-bit
   numbers, one a place. The place is STEPPED_PLACE, or the number of the worker that the command line ends with, or 0. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 16 };
static const volatile int64_t *offset;

static int place_of(int words, char **word) {
    const char *named = getenv("STEPPED_PLACE");
    if (named) return atoi(named);
    return words > 1 && !strcmp(word[words - 2], "worker") ? atoi(word[words - 1]) : 0;
}

__attribute__((constructor)) static void begin(int words, char **word) {
    const char *path = getenv("STEPPED_CLOCK");
    int place = place_of(words, word), file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *seen = mmap(0, PLACES * sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (seen != MAP_FAILED && place >= 0 && place < PLACES) offset = (const volatile int64_t *)seen + place;
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
