/* Many hosts behind a network: each answers some time after it was asked.
 *
 * Usage: hosts LISTEN_SOCKET DAEMON_SOCKET MILLISECONDS
 *
 * The first connection goes through to the daemon, each way MILLISECONDS later, and the answers to its calls are kept. All
 * later connections make the same calls and get these answers: one daemon for hundreds of clients would take longer than as
 * many hosts do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 14, CALLS = 64, AT_ONCE = 256 };

struct chunk {
    struct chunk *next;
    double due;
    int to;
    ssize_t length; /* 0: the end */
    char bytes[];
};

struct bytes {
    char *at;
    size_t length;
};

/* The side of a client. */
struct connection {
    int calls;
    struct bytes unread; /* The beginning of a message. */
};

static struct connection connections[MOST];
/* The client of the first connection, and its connection to the daemon. */
static int client, server;
/* What the daemon sent after each call, and before the next one. */
static struct bytes answers[CALLS];
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

static void watch(int loop, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}

static void hold(int to, const char *bytes, ssize_t length, double time)
{
    struct chunk *chunk = malloc(sizeof *chunk + length);
    *chunk = (struct chunk){.due = now() + time, .to = to, .length = length};
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

static void append(struct bytes *bytes, const char *more, size_t length)
{
    bytes->at = realloc(bytes->at, bytes->length + length);
    memcpy(bytes->at + bytes->length, more, length);
    bytes->length += length;
}

static uint32_t number(const char *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    return ntohl(number);
}

/* Counts the calls that are complete with these bytes. A message begins with its length; the fifth number is 0 for calls. */
static int calls_in(struct connection *connection, const char *bytes, size_t length)
{
    struct bytes *unread = &connection->unread;
    append(unread, bytes, length);
    int calls = 0;
    while (unread->length >= 28 && unread->length >= number(unread->at)) {
        size_t size = number(unread->at);
        calls += number(unread->at + 16) == 0;
        unread->length -= size;
        memmove(unread->at, unread->at + size, unread->length);
    }
    return calls;
}

/* Takes what the side `from` has sent; `length` is 0 at its end. */
static void take(int from, const char *bytes, size_t length)
{
    if (from == server) {
        append(&answers[connections[client].calls], bytes, length);
        hold(client, bytes, length, delay);
        return;
    }
    struct connection *own = &connections[from];
    int before = own->calls;
    own->calls += calls_in(own, bytes, length);
    if (own->calls >= CALLS)
        exit(1);
    if (from == client) {
        hold(server, bytes, length, delay);
        return;
    }
    for (int call = before + 1; call <= own->calls; call++)
        if (answers[call].length)
            hold(from, answers[call].at, answers[call].length, 2 * delay);
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
                int accepted = accept(listener, NULL, NULL);
                if (accepted < 0 || accepted >= MOST)
                    return 1;
                if (!client) {
                    client = accepted;
                    server = socket(AF_UNIX, SOCK_STREAM, 0);
                    if (connect(server, (struct sockaddr *)&daemon, sizeof daemon)) {
                        perror(argv[2]);
                        return 1;
                    }
                    watch(loop, server);
                }
                watch(loop, accepted);
                continue;
            }
            ssize_t length = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
            if (length < 0 && errno == EAGAIN)
                continue;
            take(from, bytes, length > 0 ? length : 0);
            /* An ended side is no longer asked; the descriptors live as long as this program. */
            if (length <= 0)
                epoll_ctl(loop, EPOLL_CTL_DEL, from, NULL);
        }
    }
}
