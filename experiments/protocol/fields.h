// SPDX-License-Identifier: Apache-2.0
// Fields of structs that are parts of both messages and answers, and names of enumerators.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/object_reader.h"
#include "experiments/protocol/messages.h"

namespace remixer::experiments::protocol {

template <typename V>
void describe(V& v, FieldsOf<V, Figure>& m) {
  v("weights", m.weights);
  v("eval_set", m.eval_set);
  v("metric", m.metric);
  v("value", m.value);
  v("n", m.n);
}

template <typename V>
void describe(V& v, FieldsOf<V, GridSettings>& m) {
  v.optional("priority", m.priority, int64_t{0});
  v.optional("max_running", m.max_running, int64_t{0});
  v.optional("ranks", m.ranks, int64_t{0});
  v.optional("gpus", m.gpus, int64_t{0});
}

template <typename E, size_t N>
using EnumNames = std::array<std::pair<E, std::string_view>, N>;

template <typename E, size_t N>
std::string_view enum_text(const EnumNames<E, N>& names, E value) {
  for (const auto& [known, text] : names) {
    if (known == value) return text;
  }
  return "?";
}

template <typename E, size_t N>
void read_enum(const EnumNames<E, N>& names, const Json& json, const Place& place, E& value) {
  std::string wanted;
  std::vector<std::string> known;
  read_value(json, place, wanted);
  for (const auto& [candidate, text] : names) {
    known.emplace_back(text);
    if (text != wanted) continue;
    value = candidate;
    return;
  }
  fail_input("{}: {}", place.text(), unknown_name("value", wanted, known));
}

namespace answers {

// `what` names the answer in messages.
template <typename T>
T read_answer(const Json& json, const char* what) {
  T value;
  LenientReader::read(json, what, value);
  return value;
}

}  // namespace answers

}  // namespace remixer::experiments::protocol
