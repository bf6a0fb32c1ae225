/* A network between a client and a daemon: what comes over the one socket goes to the other, each way some time later.
 *
 * Usage: delay LISTEN_SOCKET DAEMON_SOCKET MILLISECONDS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
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

static void watch(int loop, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
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
    /* The other side of each connection, by descriptor. */
    enum { MOST = 1 << 14, AT_ONCE = 256 };
    static int other[MOST];
    static char bytes[1 << 18];
    struct epoll_event ready[AT_ONCE];
    int loop = epoll_create1(EPOLL_CLOEXEC);
    watch(loop, listener);
    for (;;) {
        int count = epoll_wait(loop, ready, AT_ONCE, give());
        if (count < 0 && errno != EINTR)
            return 1;
        give();
        for (int i = 0; i < count; i++) {
            int from = ready[i].data.fd;
            if (from == listener) {
                int client = accept(listener, NULL, NULL);
                int server = socket(AF_UNIX, SOCK_STREAM, 0);
                if (client < 0 || server < 0 || client >= MOST || server >= MOST ||
                    connect(server, (struct sockaddr *)&daemon, sizeof daemon)) {
                    perror(argv[2]);
                    return 1;
                }
                other[client] = server;
                other[server] = client;
                watch(loop, client);
                watch(loop, server);
                continue;
            }
            ssize_t length = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
            if (length < 0 && errno == EAGAIN)
                continue;
            hold(other[from], bytes, length > 0 ? length : 0);
            /* An ended side is no longer asked; the descriptors live as long as this program. */
            if (length <= 0)
                epoll_ctl(loop, EPOLL_CTL_DEL, from, NULL);
        }
    }
}
