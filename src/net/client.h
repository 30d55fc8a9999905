// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An HTTP/1.1 client with keep-alive pools and TLS. One HttpClient per loop; loop thread only.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "net/body.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ref.h"
#include "net/resolver.h"
#include "net/task.h"

namespace fuseboard::net {

struct TransportError {
  enum Kind : std::uint8_t {
    resolve,  // the name has no address, or cannot be asked for
    connect_refused,
    connect_timeout,  // resolving, connecting and the TLS handshake took longer than connect_by
    connect_failed,   // unreachable, out of descriptors, ...
    tls,              // handshake or record layer
    tls_certificate,  // not trusted, expired, or made out to another name
    reset,            // the connection broke
    closed_early,     // closed before a complete response head
    truncated,        // closed before the end of the body
    head_timeout,
    body_timeout,
    malformed,  // not HTTP
    too_large,  // a response head over the bound, or a body over read_all's
    no_memory,  // for the body
    cancelled,  // by cancel(), or the loop is stopping
  };
  Kind kind = connect_failed;
  bool request_may_have_run = false;  // some of the request may have reached the server
  // It waited for its turn with us and not for the server, which is not to blame.
  bool ours = false;
  int sys_errno = 0;      // 0 where there is none
  std::string message{};  // for people; never contains headers or bodies
};
std::string_view name(TransportError::Kind kind) noexcept;

struct TlsOptions {
  // PEM file of the authorities to trust instead of the system's. The peer's name is always verified.
  std::string ca_file{};
};

struct ClientOptions {
  TlsOptions tls{};
  std::size_t max_head = 64 * 1024;      // bytes of a response head: too_large
  std::size_t max_headers = 256;         // too_large too
  std::size_t max_idle_per_origin = 64;  // at the bound the oldest is closed
  std::size_t max_idle = 256;            // over all origins
  Duration idle_timeout =
      std::chrono::seconds(30);  // below what servers commonly allow, so that they rarely close first
  // Shared by clients that should share what is known of names; null: one of its own.
  std::shared_ptr<Resolver> resolver{};

  Problems validate() const;
};

struct SendDeadlines {
  TimePoint connect_by = kNever;
  TimePoint head_by = kNever;  // sending the request and receiving the complete response head
};

// Whether a connection is taken from the pool. The pool hears of one that its server closes, but not before the loop
// looks again.
enum class Reuse : std::uint8_t {
  never,
  checked,  // one that is asked beforehand whether it is alive, for what must not be sent twice
  // One as it is, for what can be sent again: cheaper by a call of the system. That it has died shows when it is used,
  // by an error or by a 408 that its server sent before it closed.
  trusted,
};

class HttpClient;
class ClientCall;   // private to net
struct ClientPool;  // private to net

// One request and its response. Destroying it before the body's end closes its connection. Deadlines are kept to within
// about 30 ms, never early. After an error every further call gives an error. One operation at a time; cancel() any
// time.
class ClientExchange {
 public:
  ClientExchange(ClientExchange&&) noexcept;
  ClientExchange& operator=(ClientExchange&&) noexcept;
  ~ClientExchange();

  // Sends the request and waits for the head of its response; 1xx responses are skipped. Host, content-length and
  // connection are written here and dropped from the given headers, but for a given host. `head` and `body` must stay
  // valid until it ends. Call it once. It never sends a request twice. A response that comes before the body is sent
  // ends the sending.
  Task<std::expected<ResponseHead, TransportError>> send(const RequestHead& head, BodyPieces body,
                                                         SendDeadlines deadlines);

  // The next decoded bytes of the body, valid until the next call; empty: the body is complete and the connection back
  // in the pool. Nothing is read from the connection between calls, so a slow consumer holds the server back [STR-8].
  Task<std::expected<std::string_view, TransportError>> read_some(TimePoint by);
  // The rest of the body; too_large when it is longer than max_bytes. Its memory is `share`'s, where one is given,
  // which may have to wait for it: no_memory when that is in vain for kMemoryWait.
  Task<std::expected<std::string, TransportError>> read_all(std::size_t max_bytes, TimePoint by,
                                                            BodyMemory::Share* share = nullptr);
  // The same, behind what `body` holds already, which counts towards max_bytes: where it breaks off, what has come is
  // there. `body` must outlive it.
  Task<std::expected<void, TransportError>> read_rest(std::string& body, std::size_t max_bytes, TimePoint by,
                                                      BodyMemory::Share* share = nullptr);
  static constexpr Duration kMemoryWait = std::chrono::seconds(5);

  // Closes the connection at once, so that the server notices; a pending operation ends with `cancelled`, later on the
  // loop.
  void cancel() noexcept;

  bool reused_connection() const noexcept;  // sent on a connection from the pool

 private:
  friend class HttpClient;
  explicit ClientExchange(Ref<ClientCall> call) noexcept;
  Ref<ClientCall> call_;
};

class HttpClient {
 public:
  // May be made on any thread; throws InvalidOptions, also for a ca_file that cannot be read.
  explicit HttpClient(Loop& loop, ClientOptions options = {});
  // On the loop's thread or after the loop has stopped. Exchanges may outlive it.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  ClientExchange exchange(const Origin& origin, Reuse reuse = Reuse::checked);

  std::size_t idle_connections() const noexcept;
  Loop& loop() noexcept;

 private:
  Ref<ClientPool> pool_;
};

}  // namespace fuseboard::net
