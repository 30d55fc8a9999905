// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/error_tree.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "classify/fold.h"
#include "fuseboard/core/json_escape.h"
#include "fuseboard/core/utf8.h"

namespace fuseboard::classify_internal {
namespace {

struct KeyName {
  std::string_view name;
  Key key;
};

// Names as they are compared: lower case, letters and digits alone.
constexpr KeyName kKeyNames[] = {
    {"@type", Key::at_type},
    {"baseresp", Key::base_resp},
    {"blockreason", Key::block_reason},
    {"candidates", Key::candidates},
    {"choices", Key::choices},
    {"code", Key::code},
    {"content", Key::content},
    {"data", Key::data},
    {"delta", Key::delta},
    {"description", Key::description},
    {"detail", Key::detail},
    {"details", Key::details},
    {"done", Key::done},
    {"donereason", Key::done_reason},
    {"elicitations", Key::elicitations},
    {"error", Key::error},
    {"errorcode", Key::error_code},
    {"errcode", Key::error_code},
    {"errmsg", Key::error_message},
    {"errordescription", Key::error_description},
    {"errormessage", Key::error_message},
    {"errormsg", Key::error_message},
    {"errortype", Key::error_type},
    {"errors", Key::errors},
    {"estimatedtime", Key::estimated_time},
    {"event", Key::event},
    {"eventtype", Key::event},
    {"exceptiontype", Key::exception_type},
    {"fault", Key::fault},
    {"faultcode", Key::faultcode},
    {"faultstring", Key::faultstring},
    {"finishmessage", Key::finish_message},
    {"finishreason", Key::finish_reason},
    {"generatedtext", Key::generated_text},
    {"header", Key::header},
    {"headers", Key::headers},
    {"id", Key::id},
    {"incompletedetails", Key::incomplete_details},
    {"innererror", Key::inner_error},
    {"iserror", Key::is_error},
    {"isfinished", Key::is_finished},
    {"jsonrpc", Key::jsonrpc},
    {"limitsource", Key::limit_source},
    {"message", Key::message},
    {"messagestop", Key::message_stop},
    {"messagetype", Key::message_type},
    {"metadata", Key::metadata},
    {"method", Key::method},
    {"msg", Key::msg},
    {"nativefinishreason", Key::native_finish_reason},
    {"object", Key::object},
    {"originalmessage", Key::original_message},
    {"originalstatuscode", Key::original_status_code},
    {"output", Key::output},
    {"param", Key::param},
    {"promptfeedback", Key::prompt_feedback},
    {"quotaid", Key::quota_id},
    {"quotavalue", Key::quota_value},
    {"raw", Key::raw},
    {"reason", Key::reason},
    {"refusal", Key::refusal},
    {"resetsat", Key::resets_at},
    {"resetsinseconds", Key::resets_in_seconds},
    {"response", Key::response},
    {"result", Key::result},
    {"retryafter", Key::retry_after},
    {"retryafterms", Key::retry_after_ms},
    {"retryafterseconds", Key::retry_after_seconds},
    {"retrydelay", Key::retry_delay},
    {"status", Key::status},
    {"statuscode", Key::status_code},
    {"statusmsg", Key::status_msg},
    {"stopreason", Key::stop_reason},
    {"success", Key::success},
    {"text", Key::text},
    {"title", Key::title},
    {"toolcalls", Key::tool_calls},
    {"type", Key::type},
    {"uri", Key::uri},
    {"violations", Key::violations},
    {"xratelimitremaining", Key::x_rate_limit_remaining},
    {"xratelimitreset", Key::x_rate_limit_reset},
};

struct KeySlot {
  std::uint64_t hash = 0;
  Key key = Key::other;
};
constexpr std::size_t kKeySlots = 512;

consteval std::array<KeySlot, kKeySlots> key_slots() {
  std::array<KeySlot, kKeySlots> slots{};
  for (const KeyName& row : kKeyNames) {
    const std::uint64_t hash = hash_name(row.name);
    std::size_t i = hash % kKeySlots;
    while (slots[i].hash != 0) i = (i + 1) % kKeySlots;
    slots[i] = {hash, row.key};
  }
  return slots;
}
constexpr auto kKeys = key_slots();

Key key_of(std::string_view name) noexcept {
  if (name.size() > 32) return Key::other;
  const std::uint64_t hash = hash_name(name);
  for (std::size_t i = hash % kKeySlots; kKeys[i].hash != 0; i = (i + 1) % kKeySlots) {
    if (kKeys[i].hash == hash) return kKeys[i].key;
  }
  return Key::other;
}

constexpr std::uint64_t bit(Key key) noexcept { return 1ULL << (static_cast<unsigned>(key) & 63U); }

// Whether one of eight bytes is `c`; may say yes for a byte above one that is.
constexpr std::uint64_t has_byte(std::uint64_t eight, char c) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  const std::uint64_t zeros = eight ^ (kOnes * static_cast<unsigned char>(c));
  return (zeros - kOnes) & ~zeros & (kOnes << 7);
}

bool is_bare(char c) noexcept { return is_alpha(c) || is_digit(c) || c == '-' || c == '+' || c == '.'; }

}  // namespace

ErrorTree::ErrorTree(std::string_view text) noexcept : text_(text) { read(); }

void ErrorTree::read() noexcept {
  skip_spaces();
  if (at_ == text_.size() || (text_[at_] != '{' && text_[at_] != '[')) return;
  end_ = End::truncated;
  if (!open(Key::other, {}, 0)) return;
  while (depth_ > 0) {
    if (!member(open_[depth_ - 1])) return;
  }
  end_ = End::whole;
}

const Node* ErrorTree::find(const Node* parent, Key key) const noexcept {
  if (parent == nullptr || (parent->keys & bit(key)) == 0) return nullptr;
  for (const Node* node = first(parent); node != nullptr; node = next(node)) {
    if (node->key == key) return node;
  }
  return nullptr;
}

// False, and what it means: the text ended, or it is wrong here.
bool ErrorTree::fail() noexcept {
  end_ = at_ >= text_.size() ? End::truncated : End::broken;
  return false;
}

void ErrorTree::skip_spaces() noexcept {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

std::uint16_t ErrorTree::add(Key key, Kind kind, std::string_view name, std::uint16_t parent) noexcept {
  if (count_ == kMaxNodes) return 0;
  const std::uint16_t index = count_++;
  std::construct_at(&nodes_[index], Node{.key = key, .kind = kind, .parent = parent, .name = name});
  last_child_[index] = 0;
  if (parent != 0) {
    nodes_[parent].keys |= bit(key);
    if (last_child_[parent] == 0) {
      nodes_[parent].first = index;
    } else {
      nodes_[last_child_[parent]].next = index;
    }
    last_child_[parent] = index;
  }
  return index;
}

bool ErrorTree::open(Key key, std::string_view name, std::uint16_t parent) noexcept {
  const Kind kind = text_[at_] == '{' ? Kind::object : Kind::array;
  const std::uint16_t index = depth_ < kMaxDepth ? add(key, kind, name, parent) : std::uint16_t{0};
  if (index == 0) return skip_container();
  open_[depth_++] = index;
  ++at_;
  return true;
}

// One step inside the innermost container: its next member or element, or its end.
bool ErrorTree::member(std::uint16_t parent) noexcept {
  skip_spaces();
  if (at_ == text_.size()) return fail();
  Node& container = nodes_[parent];
  const bool is_map = container.kind == Kind::object;
  const char c = text_[at_];
  if (c == (is_map ? '}' : ']')) {
    ++at_;
    --depth_;
    return true;
  }
  if (c == ',') {
    ++at_;
    return true;
  }
  if (container.members != 0xFFFF) ++container.members;
  if (!is_map) return value(Key::other, {}, parent, container.members <= kMaxElements);
  if (c != '"' && c != '\'') return fail();
  const std::size_t begin = at_ + 1;
  if (!skip_string(c)) return fail();
  const std::string_view name = text_.substr(begin, at_ - 1 - begin);
  skip_spaces();
  if (at_ == text_.size() || text_[at_] != ':') return fail();
  ++at_;
  skip_spaces();
  const Key key = key_of(name);
  return value(key, name, parent, key != Key::other || name.ends_with("Exception"));
}

bool ErrorTree::value(Key key, std::string_view name, std::uint16_t parent, bool keep) noexcept {
  if (at_ == text_.size()) return fail();
  const char c = text_[at_];
  if (c == '{' || c == '[') return keep ? open(key, name, parent) : skip_container();
  const std::size_t begin = at_;
  Kind kind = Kind::string;
  std::string_view raw;
  if (c == '"' || c == '\'') {
    if (!skip_string(c)) return fail();
    raw = text_.substr(begin + 1, at_ - begin - 2);
  } else {
    while (at_ < text_.size() && is_bare(text_[at_])) ++at_;
    if (at_ == begin) return fail();
    raw = text_.substr(begin, at_ - begin);
    kind = is_digit(c) || c == '-' ? Kind::number : Kind::literal;
  }
  if (!keep) return true;
  if (const std::uint16_t index = add(key, kind, name, parent)) nodes_[index].raw = raw;
  return true;
}

// From an opening bracket to behind the one that closes it. Kinds of brackets are not compared: nothing in here is
// kept.
bool ErrorTree::skip_container() noexcept {
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_string(c)) return fail();
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return true;
    }
  }
  return fail();
}

// From a quote to behind the one that closes it.
bool ErrorTree::skip_string(char quote) noexcept {
  ++at_;
  while (at_ < text_.size()) {
    // Plain bytes, eight at a time.
    while (at_ + 8 <= text_.size()) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, text_.data() + at_, sizeof(eight));
      if ((has_byte(eight, quote) | has_byte(eight, '\\')) != 0) break;
      at_ += 8;
    }
    if (at_ == text_.size()) break;
    const char c = text_[at_];
    if (c == quote) {
      ++at_;
      return true;
    }
    at_ += c == '\\' ? 2 : 1;
  }
  at_ = text_.size();
  return false;
}

bool has_content(const Node* node) noexcept {
  if (is_null(node)) return false;
  switch (node->kind) {
    case Kind::object:
    case Kind::array:
      return node->members > 0;
    case Kind::string:
      return !node->raw.empty();
    case Kind::number:
      return true;
    case Kind::literal:
      return is_true(node);
  }
  return false;
}

std::string_view unescape(std::string_view raw, std::span<char> out) noexcept {
  std::size_t size = 0;
  const auto append = [&](std::string_view text) {
    text = text.substr(0, out.size() - size);
    std::copy(text.begin(), text.end(), out.data() + size);
    size += text.size();
  };
  walk_json_string(raw, append, [&](unsigned unit) {
    if (unit >= 0xD800 && unit <= 0xDFFF) {
      append("?");
    } else if (unit == '\r' || unit == '\b' || unit == '\f') {
      append(" ");
    } else {
      append(encode_utf8(unit).view());
    }
  });
  return {out.data(), size};
}

}  // namespace fuseboard::classify_internal
