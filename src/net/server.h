// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An HTTP/1.1 server. Each connection lives on one loop; its requests are handled one at a time, in order.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "fuseboard/core/deadline.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "net/body.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/task.h"

namespace fuseboard::net {

class ServerConnection;  // private to net

// Why a request body cannot be had.
enum class BodyError : std::uint8_t {
  too_large,  // over ServerOptions::max_body; respond, say with 413: the caller can read it even while it still sends
  timeout,    // no progress for body_timeout, or too slow for body_grace and body_rate; a 408 is still possible
  gone,       // the caller left; nobody will read a response
  malformed,  // broken chunked coding; a response (400) is still possible
  no_memory,  // none of body_memory in time; a response (503) is still possible
};

// One request on one connection: a handler's view of it, valid until the handler's task ends. Loop thread only.
//
// Answer once: either respond(), or start(), write()... and finish(). What the handler leaves undone is done for it: no
// answer at all becomes a 500, a started stream is aborted. content-length, transfer-encoding and connection are the
// server's own and are dropped from a given head, but for "connection: close", which is honoured. Control characters in
// values become spaces.
class ServerExchange {
 public:
  explicit ServerExchange(ServerConnection& connection) noexcept : connection_(connection) {}
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  RequestHead& head() noexcept;                    // the handler may move from it
  std::string_view peer_address() const noexcept;  // without the port
  Loop& loop() noexcept;

  // The whole body, decoded; call it once. Answers "Expect: 100-continue" when it begins to wait.
  Task<std::expected<Body, BodyError>> read_body();

  // Head and body in one write. False: the caller is gone.
  Task<bool> respond(ResponseHead head, std::string body);

  // A streamed answer (chunked; delimited by the end of the connection for HTTP/1.0). start() sends the head at once.
  // write() ends when the system has taken every byte, so a slow reader holds the writer back [STR-8]. False: the
  // caller is gone or has not read for stream_write_timeout. An empty write does nothing. The view must stay valid
  // until write() ends.
  Task<bool> start(ResponseHead head);
  Task<bool> write(std::string_view bytes);
  Task<bool> finish();

  // Cuts the connection so that a cut answer is never taken for a finished one.
  void abort();

  // `gone` runs once, on the loop, as soon as the caller disconnects (EOF counts, STR-6) before the answer is finished;
  // at once if it already has. It replaces an earlier one, may destroy or cancel anything but this exchange, and is
  // dropped when the handler ends. (A caller that has pipelined more than a buffer's worth of further requests is not
  // watched.)
  void on_gone(std::move_only_function<void()> gone);
  bool gone() const noexcept;

  bool started() const noexcept;   // a response head has been sent, or is being sent
  bool finished() const noexcept;  // the answer is complete, or the connection was cut

 private:
  ServerConnection& connection_;
};

using Handler = std::function<Task<void>(ServerExchange&)>;

struct ServerOptions {
  std::size_t max_head = 64 * 1024;                    // bytes; a longer head gets 431 and the connection closes
  std::size_t max_headers = 256;                       // 431 too
  std::size_t max_body = 32 * 1024 * 1024;             // bytes, decoded: BodyError::too_large
  std::size_t max_connections = 8192;                  // at the bound a new one gets 503 and is closed
  Duration header_timeout = std::chrono::seconds(10);  // from the first byte of a head to its end: 408
  Duration body_timeout = std::chrono::seconds(30);    // without any progress: BodyError::timeout
  // However it comes on, a body has body_grace, and a second more for each body_rate of it that has come.
  Duration body_grace = std::chrono::seconds(30);
  std::size_t body_rate = 64 * 1024;
  // What all bodies share, with others perhaps; null: no bound. At the bound a body waits for body_memory_wait.
  std::shared_ptr<BodyMemory> body_memory{};
  Duration body_memory_wait = std::chrono::seconds(5);
  Duration write_timeout = std::chrono::seconds(30);  // of an answer, without any progress: the connection is cut
  // Likewise of a streamed one, which holds little memory while its reader pauses.
  Duration stream_write_timeout = std::chrono::seconds(30);
  Duration idle_timeout = std::chrono::seconds(75);  // between requests, and before the first
  // After an answer that was given before the whole request was read, so much is read and thrown away, for so long, to
  // let the caller find the answer instead of a reset connection.
  std::size_t linger_bytes = 64 * 1024 * 1024;
  Duration linger_timeout = std::chrono::seconds(10);
  // Body and content type of the answers that the server gives by itself: 400, 408, 431, 500, 503.
  // The body of what the server refuses by itself; default: the message and a newline. `request` is what was read of
  // the head: its target is empty where not even that came.
  std::function<std::string(int status, std::string_view message, const RequestHead& request)> error_body{};
  std::string error_content_type = "text/plain; charset=utf-8";

  // When a body must be complete that began then and of which so many bytes have come.
  TimePoint body_due(TimePoint began, std::size_t received) const noexcept;

  Problems validate() const;
};

class HttpServer {
 public:
  // Throws InvalidOptions. The handler is called on every loop of the group, at once from several threads.
  HttpServer(LoopGroup& loops, ServerOptions options, Handler handler);
  // The handler must not run any more: drain first, or stop the loops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds and listens; returns the port (of use for port 0: any free one) or a message such as
  // "127.0.0.1:8080: address already in use". May be called for several addresses, before the drain.
  std::expected<std::uint16_t, std::string> listen(const std::string& address, std::uint16_t port);

  // Whether this machine has the numeric `address`: one without IPv6 has no ::1.
  static bool has_address(const std::string& address);

  // Any thread, once. Stops accepting and closes idle connections; running requests finish with "connection: close";
  // after the deadline what is left is cut. `done` runs once on the first loop when no connection is left.
  void drain(Deadline deadline, std::move_only_function<void()> done = {});
  // The same, waiting; not from a loop's thread.
  void drain_and_wait(Deadline deadline);

  struct Counters {
    std::size_t open_connections = 0;
    std::size_t requests_in_flight = 0;     // from the end of a head to the end of its handler
    std::uint64_t requests = 0;             // heads read, ever
    std::uint64_t refused_connections = 0;  // at max_connections
    std::uint64_t handler_exceptions = 0;   // each answered with 500 or cut
  };
  Counters counters() const noexcept;  // any thread

  struct Impl;  // private to net

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace fuseboard::net
