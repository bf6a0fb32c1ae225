/* A network between a client and a daemon: what comes over the one socket goes to the other, each way some time later.
 *
 * Usage: delay LISTEN_SOCKET DAEMON_SOCKET MILLISECONDS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct chunk {
    struct chunk *next;
    double due;
    int to;
    ssize_t length; /* 0: the end */
    char bytes[];
};

/* The delay is the same for all, so one queue keeps the order. */
static struct chunk *first, **last = &first;
static double delay;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static struct sockaddr_un named(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static void hold(int to, const char *bytes, ssize_t length)
{
    struct chunk *chunk = malloc(sizeof *chunk + length);
    *chunk = (struct chunk){.due = now() + delay, .to = to, .length = length};
    memcpy(chunk->bytes, bytes, length);
    *last = chunk;
    last = &chunk->next;
}

/* Gives on what is due; returns the milliseconds until the next is. */
static int give(void)
{
    while (first) {
        double wait = first->due - now();
        if (wait > 0)
            return (int)(wait * 1000) + 1;
        struct chunk *chunk = first;
        if (chunk->length == 0)
            shutdown(chunk->to, SHUT_WR);
        for (ssize_t sent = 0; sent < chunk->length;) {
            ssize_t count = send(chunk->to, chunk->bytes + sent, chunk->length - sent, MSG_NOSIGNAL);
            if (count < 0)
                break;
            sent += count;
        }
        first = chunk->next;
        if (!first)
            last = &first;
        free(chunk);
    }
    return -1;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    delay = atof(argv[3]) / 1000;
    struct sockaddr_un own = named(argv[1]), daemon = named(argv[2]);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) || listen(listener, 1024)) {
        perror(argv[1]);
        return 1;
    }
    enum { MOST = 4096 };
    static struct pollfd ends[MOST];
    static int other[MOST];
    static char bytes[1 << 18];
    int count = 1;
    ends[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(ends, count, give()) < 0 && errno != EINTR)
            return 1;
        give();
        for (int i = count - 1; i > 0; i--) {
            if (!ends[i].revents)
                continue;
            ssize_t length = recv(ends[i].fd, bytes, sizeof bytes, MSG_DONTWAIT);
            if (length < 0 && errno == EAGAIN)
                continue;
            hold(other[i], bytes, length > 0 ? length : 0);
            /* An ended side is no longer asked; the descriptors live as long as this program. */
            if (length <= 0)
                ends[i].fd = -1;
        }
        if (ends[0].revents && count + 2 <= MOST) {
            int client = accept(listener, NULL, NULL);
            int server = socket(AF_UNIX, SOCK_STREAM, 0);
            if (connect(server, (struct sockaddr *)&daemon, sizeof daemon)) {
                perror(argv[2]);
                return 1;
            }
            for (int side = 0; side < 2; side++) {
                ends[count] = (struct pollfd){.fd = side ? server : client, .events = POLLIN};
                other[count++] = side ? client : server;
            }
        }
    }
}
