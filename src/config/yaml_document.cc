// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "config/source_text.h"

namespace fuseboard::config {
namespace {

// Leaves yaml-cpp's parser from inside a callback.
struct Unreadable {
  Position at;
  std::string message;
};

constexpr std::string_view kMergeKey = "<<";

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const SourceText& source, Report& report) : source_(source), report_(report) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (document_.root != nullptr) throw Unreadable{at(mark), "a second document begins here; one is allowed"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    place(new_node(Node::Kind::null, mark, {}, anchor), 1);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override;

  Document take() && { return std::move(document_); }

 private:
  // A collection that is being read.
  struct Open {
    Node* node;
    YAML::anchor_t anchor;
    std::size_t size;                     // values in it so far, itself included
    std::vector<const Node*> children;    // of a map: key, value, key, value...
    std::vector<Position> key_positions;  // of a map: where each child stands in the text, aliases included
  };
  struct Anchored {
    const Node* node;
    std::size_t size;
  };

  Position at(const YAML::Mark& mark) const noexcept {
    return source_.position(mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos));
  }
  Node* new_node(Node::Kind kind, const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor);
  void open(Node::Kind kind, const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor);
  void close();
  void place(const Node* node, std::size_t size) { place(node, size, node->at); }
  void place(const Node* node, std::size_t size, Position where);
  void fill(Node& map, const Open& from);
  void merge(Node& map, Position where, const Node& from, std::unordered_set<std::string_view>& keys);

  const SourceText& source_;
  Report& report_;
  Document document_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchored_;
};

Node* TreeBuilder::new_node(Node::Kind kind, const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor) {
  // "?" and "!" are yaml-cpp's marks of plain and quoted values without a tag.
  if (!tag.empty() && tag != "?" && tag != "!") throw Unreadable{at(mark), "tags (!...) are not allowed"};
  Node& node = document_.nodes.emplace_back();
  node.kind = kind;
  node.at = at(mark);
  node.anchored = anchor != YAML::NullAnchor;
  if (kind == Node::Kind::null || kind == Node::Kind::scalar) {
    if (node.anchored) anchored_[anchor] = {&node, 1};
  }
  return &node;
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  Node* node = new_node(Node::Kind::scalar, mark, tag, anchor);
  const auto offset = static_cast<std::size_t>(std::max(mark.pos, 0));
  const bool quoted =
      offset < source_.view().size() && (source_.view()[offset] == '"' || source_.view()[offset] == '\'');
  if (quoted && !source_.quote_is_closed(offset)) throw Unreadable{node->at, "this quote is never closed"};
  node->text = show_variables(value);
  place(node, 1);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchored_.find(anchor);
  // An anchor is known once its value is complete, so this one stands inside its own.
  if (found == anchored_.end()) throw Unreadable{at(mark), "an alias inside the value that it names"};
  place(found->second.node, found->second.size, at(mark));
}

void TreeBuilder::open(Node::Kind kind, const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor) {
  if (open_.size() >= static_cast<std::size_t>(kMaxDepth)) {
    throw Unreadable{at(mark), fmt::format("more than {} levels deep", kMaxDepth)};
  }
  open_.push_back({.node = new_node(kind, mark, tag, anchor), .anchor = anchor, .size = 1});
}

void TreeBuilder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  if (done.node->kind == Node::Kind::sequence) done.node->items = std::move(done.children);
  if (done.anchor != YAML::NullAnchor) anchored_[done.anchor] = {done.node, done.size};
  place(done.node, done.size);
}

void TreeBuilder::OnMapEnd() {
  fill(*open_.back().node, open_.back());
  close();
}

void TreeBuilder::place(const Node* node, std::size_t size, Position where) {
  if (open_.empty()) {
    document_.root = node;
    return;
  }
  Open& parent = open_.back();
  parent.size += size;
  // Checked in every collection on the way up, so a tower of aliases ends here before anything walks it.
  if (parent.size > kMaxNodes || document_.nodes.size() > kMaxNodes) {
    throw Unreadable{where,
                     fmt::format("more than {} values, counting each as often as an alias repeats it", kMaxNodes)};
  }
  parent.children.push_back(node);
  parent.key_positions.push_back(where);
}

void TreeBuilder::fill(Node& map, const Open& from) {
  std::unordered_set<std::string_view> keys;
  std::vector<std::size_t> merges;
  map.entries.reserve(from.children.size() / 2);
  for (std::size_t i = 0; i + 1 < from.children.size(); i += 2) {
    const Node& key = *from.children[i];
    const Position where = from.key_positions[i];
    if (key.kind != Node::Kind::scalar) throw Unreadable{where, fmt::format("{} cannot be a key", kind_name(key.kind))};
    if (key.text.size() > kMaxKeyBytes)
      throw Unreadable{where, fmt::format("a key of more than {} bytes", kMaxKeyBytes)};
    if (!keys.insert(key.text).second) {
      report_.say(where, "", fmt::format("duplicate key \"{}\"", key.text));
    } else if (key.text == kMergeKey) {
      merges.push_back(i);
    } else {
      map.entries.push_back({key.text, where, from.children[i + 1]});
    }
  }
  // After the map's own keys, which are stronger than merged ones wherever they stand.
  for (const std::size_t i : merges) {
    const Node& value = *from.children[i + 1];
    if (value.kind == Node::Kind::sequence) {
      for (const Node* item : value.items) merge(map, from.key_positions[i], *item, keys);
    } else {
      merge(map, from.key_positions[i], value, keys);
    }
  }
}

void TreeBuilder::merge(Node& map, Position where, const Node& from, std::unordered_set<std::string_view>& keys) {
  if (from.kind != Node::Kind::map) {
    throw Unreadable{where, fmt::format("<< takes a map or a list of maps, not {}", kind_name(from.kind))};
  }
  for (const Entry& entry : from.entries) {
    if (keys.insert(entry.key).second) map.entries.push_back(entry);
  }
}

// Whatever follows ": " in a message of yaml-cpp quotes the file, where a secret may stand.
std::string_view without_quotation(std::string_view message) { return message.substr(0, message.find(": ")); }

}  // namespace

const Node* Node::find(std::string_view key) const noexcept {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : found->value;
}

std::string_view kind_name(Node::Kind kind) noexcept {
  switch (kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "text";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "";
}

std::optional<Document> parse_document(std::string_view text, Report& report) {
  const SourceText source(text);
  if (!source.check(report)) return std::nullopt;
  TreeBuilder builder(source, report);
  try {
    std::istringstream stream(hide_variables(source.view()));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Unreadable& unreadable) {
    report.say(unreadable.at, "", unreadable.message);
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    const auto offset = static_cast<std::size_t>(std::max(error.mark.pos, 0));
    report.say(source.position(offset), "", fmt::format("not YAML: {}", without_quotation(error.msg)));
    return std::nullopt;
  }
  Document document = std::move(builder).take();
  if (document.root == nullptr) {
    report.say({}, "", "the file is empty");
    return std::nullopt;
  }
  return document;
}

}  // namespace fuseboard::config
