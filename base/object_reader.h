// SPDX-License-Identifier: Apache-2.0
// Converts structs to JSON objects and back, strictly, from one description of their fields.
//
// A struct is described once by an overload of describe() beside it, found by argument lookup:
//
//   template <typename V>
//   void describe(V& v, FieldsOf<V, Claim>& m) { v("worker_id", m.worker_id); }
//
// ObjectWriter, ObjectReader and LenientReader are the visitors. Supported field types: bool,
// int64_t, double, std::string, Json, std::optional (absent as null), std::vector, std::map by
// name, described structs, and types that have their own write_value/read_value overloads beside
// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/nearest_name.h"

namespace remixer {

template <typename V, typename T>
using FieldsOf = typename V::template Fields<T>;

// The path of a value in the JSON being read, for messages: "recipe.epochs", "metrics[3].name".
// Formatted only when needed. Refers to the enclosing Place and to its name, which must both
// outlive it.
class Place {
 public:
  Place(std::string_view name) : name_(name) {}  // the outermost
  Place(const char* name) : name_(name) {}
  Place(const std::string& name) : name_(name) {}
  Place(const Place& outer, const char* member) : outer_(&outer), name_(member) {}
  Place(const Place& outer, size_t index) : outer_(&outer), index_(index) {}

  std::string text() const {
    if (!outer_) return std::string(name_);
    return name_.empty() ? fmt::format("{}[{}]", outer_->text(), index_)
                         : fmt::format("{}.{}", outer_->text(), name_);
  }

 private:
  const Place* outer_ = nullptr;
  std::string_view name_;
  size_t index_ = 0;
};

// The type of a JSON value, for messages: "a string", "an integer", ...
inline std::string kind_of(const Json& json) {
  if (json.is_number_integer()) return "an integer";
  if (json.is_number()) return "a number";
  if (json.is_null()) return "null";
  return std::string(json.is_array() || json.is_object() ? "an " : "a ") + json.type_name();
}

// Throws InputError "PLACE must be an integer, not a string".
[[noreturn]] inline void fail_type(const Place& place, const char* wanted, const Json& got) {
  fail_input("{} must be {}, not {}", place.text(), wanted, kind_of(got));
}
inline void read_value(const Json& json, const Place& place, bool& value) {
  if (!json.is_boolean()) fail_type(place, "true or false", json);
  value = json.get<bool>();
}
inline void read_value(const Json& json, const Place& place, int64_t& value) {
  if (!json.is_number_integer()) fail_type(place, "an integer", json);
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
    fail_input("{} is too large: {}", place.text(), json.dump());
  }
  value = json.get<int64_t>();
}
inline void read_value(const Json& json, const Place& place, double& value) {
  if (!json.is_number()) fail_type(place, "a number", json);
  value = json.get<double>();
  if (!std::isfinite(value)) fail_input("{} is not a finite number", place.text());
}
inline void read_value(const Json& json, const Place& place, std::string& value) {
  if (!json.is_string()) fail_type(place, "a string", json);
  value = json.get_ref<const std::string&>();
}
inline void read_value(const Json& json, const Place&, Json& value) {
  value = json;
}

class ObjectWriter {
 public:
  template <typename T>
  using Fields = const T;

  template <typename T>
  void operator()(const char* name, const T& value) {
    json_[name] = write(value);
  }
  // Omits the field if it equals `absent`.
  template <typename T>
  void optional(const char* name, const T& value, const std::type_identity_t<T>& absent) {
    const Json written = write(value);
    if (written != write(absent)) json_[name] = written;
  }
  // Always written; FieldReader takes it as unchanged if it is missing.
  template <typename T>
  void may_lack(const char* name, const T& value) {
    (*this)(name, value);
  }
  // A number that may be NaN or infinite, which JSON stores as null.
  void number_or_nan(const char* name, double value) {
    json_[name] = std::isfinite(value) ? Json(value) : Json();
  }
  Json take() { return std::move(json_); }

  template <typename T>
  static Json write(const T& value) {
    if constexpr (std::is_same_v<T, Json>) {  // first: Json converts to anything
      return value;
    } else if constexpr (requires(ObjectWriter & v) { describe(v, value); }) {
      ObjectWriter writer;
      describe(writer, value);
      return writer.take();
    } else if constexpr (requires { write_value(value); }) {
      return write_value(value);
    } else {
      if constexpr (std::is_same_v<T, double>) {
        if (!std::isfinite(value)) fail_input("JSON cannot hold the number {}", value);
      }
      return Json(value);
    }
  }
  template <typename T>
  static Json write(const std::optional<T>& value) {
    return value ? write(*value) : Json();
  }
  template <typename T>
  static Json write(const std::vector<T>& values) {
    Json json = Json::array();
    for (const T& value : values) json.push_back(write(value));
    return json;
  }
  template <typename T>
  static Json write(const std::map<std::string, T>& values) {
    Json json = Json::object();
    for (const auto& [name, value] : values) json[name] = write(value);
    return json;
  }

 private:
  Json json_ = Json::object();
};

// What to do with members that are not described.
enum class Unknown { kRefuse, kIgnore };

// Every described field must be present.
template <Unknown unknown>
class FieldReader {
 public:
  template <typename T>
  using Fields = T;

  // `place` names the object in messages. Both must outlive the reader, and so must the names of
  // the fields passed to it.
  FieldReader(const Json& json, const Place& place) : json_(json), place_(place) {
    if (!json.is_object()) fail_type(place_, "an object", json);
    seen_.reserve(json.size());
  }

  template <typename T>
  void operator()(const char* name, T& value) {
    read(member(name), Place(place_, name), value);
  }
  // A field that may be missing, which means `absent`.
  template <typename T>
  void optional(const char* name, T& value, const std::type_identity_t<T>& absent) {
    if (const Json* json = find(name)) return read(*json, Place(place_, name), value);
    value = absent;
  }
  // A field that may be missing, which leaves the value as it is.
  template <typename T>
  void may_lack(const char* name, T& value) {
    if (const Json* json = find(name)) read(*json, Place(place_, name), value);
  }
  void number_or_nan(const char* name, double& value) {
    const Json& json = member(name);
    if (json.is_null()) {
      value = std::numeric_limits<double>::quiet_NaN();
    } else {
      read_value(json, Place(place_, name), value);
    }
  }
  // A field as raw JSON.
  const Json& member(const char* name) {
    const Json* json = find(name);
    if (!json) fail_input("{}: field '{}' is missing", place_.text(), name);
    return *json;
  }
  // Throws if there are members that were not read, unless they are to be ignored.
  void finish() const {
    if (unknown == Unknown::kIgnore || found_ == json_.size()) return;
    const std::vector<std::string> known(seen_.begin(), seen_.end());
    for (const auto& [name, value] : json_.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        fail_input("{}: {}", place_.text(), unknown_name("field", name, known));
      }
    }
  }

  template <typename T>
  static void read(const Json& json, const Place& place, T& value) {
    if constexpr (requires(FieldReader & v) { describe(v, value); }) {
      FieldReader reader(json, place);
      describe(reader, value);
      reader.finish();
    } else {
      read_value(json, place, value);
    }
  }
  template <typename T>
  static void read(const Json& json, const Place& place, std::optional<T>& value) {
    value.reset();
    if (!json.is_null()) read(json, place, value.emplace());
  }
  template <typename T>
  static void read(const Json& json, const Place& place, std::vector<T>& values) {
    if (!json.is_array()) fail_type(place, "an array", json);
    values.clear();
    values.reserve(json.size());
    for (size_t i = 0; i < json.size(); ++i) {
      read(json[i], Place(place, i), values.emplace_back());
    }
  }
  template <typename T>
  static void read(const Json& json, const Place& place, std::map<std::string, T>& values) {
    if (!json.is_object()) fail_type(place, "an object", json);
    values.clear();
    for (const auto& [name, value] : json.items()) {
      read(value, Place(place, name.c_str()), values[name]);
    }
  }

 private:
  // Call once per name, so that the fields found can be counted.
  const Json* find(const char* name) {
    seen_.push_back(name);
    const auto it = json_.find(name);
    if (it == json_.end()) return nullptr;
    ++found_;
    return &*it;
  }

  const Json& json_;
  const Place place_;
  std::vector<const char*> seen_;
  size_t found_ = 0;
};

// No other members may be present: for what people write, and for messages, in which a member that
// is passed over would be lost.
using ObjectReader = FieldReader<Unknown::kRefuse>;
// For what a newer program may have written.
using LenientReader = FieldReader<Unknown::kIgnore>;

}  // namespace remixer
