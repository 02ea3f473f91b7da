// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/order_answers.h"

#include "base/object_reader.h"
#include "experiments/protocol/fields.h"

namespace remixer::experiments::protocol::answers {

namespace {

constexpr EnumNames<Garbage, 5> kGarbage{{
    {Garbage::kRemoved, "removed"},
    {Garbage::kSuperseded, "superseded"},
    {Garbage::kRefused, "refused"},
    {Garbage::kStuck, "stuck"},
    {Garbage::kUnknown, "unknown"},
}};

}  // namespace

std::string_view to_string(Garbage garbage) {
  return enum_text(kGarbage, garbage);
}
Json write_value(Garbage garbage) {
  return std::string(to_string(garbage));
}
void read_value(const Json& json, const Place& place, Garbage& garbage) {
  read_enum(kGarbage, json, place, garbage);
}

template <typename V>
void describe(V& v, FieldsOf<V, Changed>& m) {
  v("tasks", m.tasks);
}

template <typename V>
void describe(V& v, FieldsOf<V, Collected::Item>& m) {
  v("path", m.path);
  v("why", m.why);
  v("bytes", m.bytes);
  v("task", m.task);
}

template <typename V>
void describe(V& v, FieldsOf<V, Collected>& m) {
  v("items", m.items);
  v("used_bytes", m.used_bytes);
  v("freed_bytes", m.freed_bytes);
  v("quota_bytes", m.quota_bytes);
  v("unknown_folders", m.unknown_folders);
  v("unknown_bytes", m.unknown_bytes);
  v("dry_run", m.dry_run);
}

template <typename V>
void describe(V& v, FieldsOf<V, Adopted::Refused>& m) {
  v("folder", m.folder);
  v("why", m.why);
}

template <typename V>
void describe(V& v, FieldsOf<V, Adopted>& m) {
  v("tasks", m.tasks);
  v("done", m.done);
  v("adopted", m.adopted);
  v("refused", m.refused);
}

Json to_json(const Changed& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Collected& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Adopted& value) {
  return ObjectWriter::write(value);
}
template <>
Changed from_json(const Json& json) {
  return read_answer<Changed>(json, "answer");
}
template <>
Collected from_json(const Json& json) {
  return read_answer<Collected>(json, "answer");
}
template <>
Adopted from_json(const Json& json) {
  return read_answer<Adopted>(json, "answer");
}

}  // namespace remixer::experiments::protocol::answers
