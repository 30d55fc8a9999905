// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Options that several places of a file may set, nearest wins: a provider, a model, a target.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.h"
#include "fuseboard/core/validation.h"

namespace fuseboard::config {

// What one place says about some options, read once and applied wherever it reaches.
template <typename Options>
struct Layer {
  struct Place {
    std::string_view field;  // as Options::validate() names it
    Cursor cursor;
  };

  std::optional<Cursor> map;  // absent: this place says nothing
  std::vector<std::function<void(Options&)>> edits;
  std::vector<Place> places;

  void set(std::string_view field, const Cursor& cursor, std::function<void(Options&)> edit) {
    places.push_back({field, cursor});
    edits.push_back(std::move(edit));
  }
};

// From the farthest to the nearest. Absent layers may be among them.
template <typename Options>
using Layers = std::span<const Layer<Options>* const>;

// `options` with all layers applied.
template <typename Options>
Options apply(Layers<Options> layers, Options options) {
  for (const Layer<Options>* layer : layers) {
    for (const auto& edit : layer->edits) edit(options);
  }
  return options;
}

// Reports what validate() refuses, each problem once, where the file sets the value that is refused.
template <typename Options>
void report_problems(const Options& options, Layers<Options> layers) {
  std::set<const Node*> blamed;  // a value that is wrong for two reasons needs mending once
  for (const Problem& problem : options.validate()) {
    const Cursor* culprit = nullptr;
    const Cursor* nearest = nullptr;
    for (const Layer<Options>* layer : layers) {
      if (layer->map) nearest = &*layer->map;
      for (const auto& place : layer->places) {
        if (place.field == problem.field) culprit = &place.cursor;
      }
    }
    if (culprit != nullptr) {
      if (blamed.insert(culprit->node).second) culprit->refuse(problem.allowed);
    } else if (nearest != nullptr) {
      // A default that other values rule out.
      const std::string_view key = std::string_view(problem.field).substr(problem.field.rfind('.') + 1);
      nearest->context->report.refuse(nearest->at(), join(nearest->path, key), problem.value + " (the default)",
                                      problem.allowed);
    }
  }
}

// A key of a map of options, and what reads it into a layer.
template <typename Options>
struct Field {
  std::string_view key;
  void (*read)(const Cursor&, Layer<Options>&);
};

// Reads a map of such keys, and nothing else, into a layer.
template <typename Options, std::size_t N>
void add_layer(const Cursor& cursor, const std::array<Field<Options>, N>& fields, Layer<Options>& layer) {
  std::array<std::string_view, N> known;
  for (std::size_t i = 0; i < N; ++i) known[i] = fields[i].key;
  const MapReader map(cursor, known);
  for (const Field<Options>& field : fields) {
    if (const auto value = map.find(field.key)) field.read(*value, layer);
  }
}

template <typename Options, std::size_t N>
Layer<Options> read_layer(const Cursor& cursor, const std::array<Field<Options>, N>& fields) {
  Layer<Options> layer;
  layer.map = cursor;
  add_layer(cursor, fields, layer);
  return layer;
}

}  // namespace fuseboard::config
