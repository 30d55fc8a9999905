// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The simulated tool server: MCP over Streamable HTTP, JSON text in, a reply out.
//
// Protocol versions 2024-11-05 to 2025-11-25. Tools: echo, add, fail, slow, crash. No sockets here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "sim/reply.h"

namespace fuseboard::sim {

// A POST to /mcp as far as the protocol cares.
struct McpPost {
  std::string_view body;
  std::string_view session;           // mcp-session-id, empty when absent
  std::string_view protocol_version;  // mcp-protocol-version, empty when absent
  std::string_view origin;            // empty when absent
};

// The sessions that are alive. Not thread-safe. At the bound the oldest goes.
class McpSessions {
 public:
  explicit McpSessions(std::uint64_t seed) : seed_(seed) {}
  std::string open();
  bool contains(std::string_view id) const;
  bool close(std::string_view id);  // false: there is none
  void clear();

  static constexpr std::size_t kMax = 1000;

 private:
  std::uint64_t seed_;
  std::uint64_t opened_ = 0;
  std::deque<std::string> ids_;
};

// The tool that a body would call; empty when it is no tools/call. Stands for the model in the log and in fault
// scripts.
std::string mcp_tool_of(std::string_view body);

// A session header is optional (a curl works without), but one that names no living session is a 404, as the protocol
// asks. The tool `slow` waits inside the reply: with a progress token it is a stream of notifications, without one a
// late answer.
Reply mcp_reply(const McpPost& post, McpSessions& sessions);

}  // namespace fuseboard::sim
