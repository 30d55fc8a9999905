// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/answer_coding.h"

#include <utility>

namespace fuseboard::gateway {
namespace {

void say_plain(net::Headers& headers, bool was_plain) {
  // "utf-8", "none": clients may take it for a coding that they do not know.
  headers.erase("content-encoding");
  if (was_plain) return;
  // Checksums are of the coded bytes.
  for (const std::string_view name : {"content-md5", "content-digest", "digest"}) headers.erase(name);
}

}  // namespace

std::expected<std::optional<net::ContentDecoder>, net::UnknownCoding> take_coding(net::ResponseHead& head) {
  auto codings = net::content_codings(head.headers);
  if (!codings) return std::unexpected(std::move(codings.error()));
  say_plain(head.headers, codings->empty());
  if (codings->empty()) return std::nullopt;
  return net::ContentDecoder(*std::move(codings), 0);
}

net::Task<std::expected<std::string, net::DecodeError>> plain_body(net::Loop& loop, net::ResponseHead& head,
                                                                   std::string body, std::size_t max_bytes,
                                                                   net::DecodeMemory memory) {
  auto codings = net::content_codings(head.headers);
  if (!codings) co_return std::unexpected(net::DecodeError::malformed);
  say_plain(head.headers, codings->empty());
  if (codings->empty()) co_return body;
  co_return co_await net::decode_content(loop, *std::move(codings), std::move(body), max_bytes, memory);
}

}  // namespace fuseboard::gateway
