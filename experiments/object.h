// Structs to JSON objects and back, strictly, from one description of their fields.
//
// A struct is described once by an overload of describe() beside it, found by argument lookup:
//
//   template <typename V>
//   void describe(V& v, FieldsOf<V, Claim>& m) { v("worker_id", m.worker_id); }
//
// ObjectWriter and ObjectReader are the visitors. Handled field types: bool, int64_t, double,
// std::string, Json, std::optional (absent as null), std::vector, described structs, and types with
// write_value/read_value overloads of their own beside them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/error.h"
#include "experiments/json.h"
#include "experiments/names.h"

namespace remixer::experiments {

template <typename V, typename T>
using FieldsOf = typename V::template Fields<T>;

// What a JSON value is, for messages: "a string", "an integer", ...
inline std::string kind_of(const Json& json) {
  if (json.is_number_integer()) return "an integer";
  if (json.is_number()) return "a number";
  if (json.is_null()) return "null";
  return std::string(json.is_array() || json.is_object() ? "an " : "a ") + json.type_name();
}

// Each throws InputError "WHERE must be an integer, not a string".
[[noreturn]] inline void fail_type(const std::string& where, const char* wanted, const Json& got) {
  fail_input("{} must be {}, not {}", where, wanted, kind_of(got));
}
inline void read_value(const Json& json, const std::string& where, bool& value) {
  if (!json.is_boolean()) fail_type(where, "true or false", json);
  value = json.get<bool>();
}
inline void read_value(const Json& json, const std::string& where, int64_t& value) {
  if (!json.is_number_integer()) fail_type(where, "an integer", json);
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
    fail_input("{} is too large: {}", where, json.dump());
  }
  value = json.get<int64_t>();
}
inline void read_value(const Json& json, const std::string& where, double& value) {
  if (!json.is_number()) fail_type(where, "a number", json);
  value = json.get<double>();
  if (!std::isfinite(value)) fail_input("{} is not a finite number", where);
}
inline void read_value(const Json& json, const std::string& where, std::string& value) {
  if (!json.is_string()) fail_type(where, "a string", json);
  value = json.get<std::string>();
}
inline void read_value(const Json& json, const std::string&, Json& value) {
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
  // A field that is left out at `absent`.
  template <typename T>
  void optional(const char* name, const T& value, const std::type_identity_t<T>& absent) {
    const Json written = write(value);
    if (written != write(absent)) json_[name] = written;
  }
  // A figure that may be NaN or infinite, which JSON writes as null.
  void number_or_nan(const char* name, double value) {
    json_[name] = std::isfinite(value) ? Json(value) : Json();
  }
  Json take() { return std::move(json_); }

  template <typename T>
  static Json write(const T& value) {
    if constexpr (std::is_same_v<T, Json>) {  // first: it converts to anything
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

 private:
  Json json_ = Json::object();
};

// Every described field must be there, and nothing else.
class ObjectReader {
 public:
  template <typename T>
  using Fields = T;

  // `what` names the object in messages. `json` must outlive the reader.
  ObjectReader(const Json& json, std::string what) : json_(json), what_(std::move(what)) {
    if (!json.is_object()) fail_type(what_, "an object", json);
  }

  template <typename T>
  void operator()(const char* name, T& value) {
    read(member(name), what_ + "." + name, value);
  }
  // A field that may be left out, which means `absent`.
  template <typename T>
  void optional(const char* name, T& value, const std::type_identity_t<T>& absent) {
    if (json_.contains(name)) return (*this)(name, value);
    seen_.push_back(name);
    value = absent;
  }
  void number_or_nan(const char* name, double& value) {
    const Json& json = member(name);
    if (json.is_null()) {
      value = std::numeric_limits<double>::quiet_NaN();
    } else {
      read_value(json, what_ + "." + name, value);
    }
  }
  // Throws on members that were not asked for.
  void finish() const {
    for (const auto& [name, value] : json_.items()) {
      if (std::find(seen_.begin(), seen_.end(), name) == seen_.end()) {
        fail_input("{}: {}", what_, unknown_name("field", name, seen_));
      }
    }
  }

  template <typename T>
  static void read(const Json& json, const std::string& where, T& value) {
    if constexpr (requires(ObjectReader & v) { describe(v, value); }) {
      ObjectReader reader(json, where);
      describe(reader, value);
      reader.finish();
    } else {
      read_value(json, where, value);
    }
  }
  template <typename T>
  static void read(const Json& json, const std::string& where, std::optional<T>& value) {
    value.reset();
    if (!json.is_null()) read(json, where, value.emplace());
  }
  template <typename T>
  static void read(const Json& json, const std::string& where, std::vector<T>& values) {
    if (!json.is_array()) fail_type(where, "an array", json);
    values.clear();
    for (const Json& item : json) {
      T value;
      read(item, fmt::format("{}[{}]", where, values.size()), value);
      values.push_back(std::move(value));
    }
  }

 private:
  const Json& member(const char* name) {
    seen_.push_back(name);
    const auto it = json_.find(name);
    if (it == json_.end()) fail_input("{}: field '{}' is missing", what_, name);
    return *it;
  }

  const Json& json_;
  std::string what_;
  std::vector<std::string> seen_;
};

}  // namespace remixer::experiments
