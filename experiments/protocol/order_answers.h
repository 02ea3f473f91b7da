// SPDX-License-Identifier: Apache-2.0
// The daemon's answers to orders; see answers.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace remixer::experiments::protocol::answers {

// Of an order: how many tasks it changed.
struct Changed {
  int64_t tasks = 0;
};

// Why a file may be deleted, in order of deletion.
enum class Garbage {
  kRemoved,     // files of removed tasks
  kSuperseded,  // checkpoints replaced by a later attempt or by the finished model
  kRefused,     // models of attempts whose result was not accepted
  kStuck,       // checkpoints of failed and cancelled tasks: only to meet a quota
  kUnknown      // run folders of tasks unknown to the database: only on request
};
std::string_view to_string(Garbage garbage);

struct Collected {
  struct Item {
    std::string path;
    Garbage why = Garbage::kRemoved;
    int64_t bytes = 0;
    std::string task;  // its title; empty if unknown
  };
  std::vector<Item> items;
  int64_t used_bytes = 0;   // by the workspace before
  int64_t freed_bytes = 0;  // or that would be freed
  std::optional<int64_t> quota_bytes;
  // Run folders that the database does not know and that were kept.
  int64_t unknown_folders = 0, unknown_bytes = 0;
  bool dry_run = false;
};

// Results restored from run folders.
struct Adopted {
  int64_t tasks = 0;    // examined
  int64_t done = 0;     // already had their result
  int64_t adopted = 0;  // restored from their folders now
  struct Refused {
    std::string folder, why;
  };
  std::vector<Refused> refused;  // results found but not valid
};

// As in answers.h.
Json to_json(const Changed& value);
Json to_json(const Collected& value);
Json to_json(const Adopted& value);
template <typename T>
T from_json(const Json& json);
template <>
Changed from_json(const Json& json);
template <>
Collected from_json(const Json& json);
template <>
Adopted from_json(const Json& json);

}  // namespace remixer::experiments::protocol::answers
