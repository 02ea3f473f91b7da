// SPDX-License-Identifier: Apache-2.0
// Import report: lists every path once, as taken or with the reason why not.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::data {

// A problem that ends the import, unless the user passes its `allow` name.
struct ImportProblem {
  std::string allow;                  // its name for --allow; empty: cannot be allowed
  std::string text;                   // one line: what is wrong and what to do
  std::vector<std::string> examples;  // a few paths or names
  int64_t count = 0;                  // total number of these
};

struct ImportAccount {
  struct Path {
    std::string path, reason;
  };
  std::string kind;    // of the import command
  std::string source;  // the folder
  std::string layout;  // "SPLIT/CLASS/IMAGE"
  std::string sign;    // how it was recognised
  int64_t seen = 0;    // paths; each is taken, used or skipped
  std::vector<std::string> taken;
  std::vector<Path> used;         // besides images: masks, files that give classes; with purpose
  std::vector<Path> passed_over;  // skipped, with the reason
  std::vector<std::string> classes;
  std::map<std::string, std::vector<int64_t>> images;  // by split and class

  bool has_boxes = false;  // whether any were given
  std::string box_source;
  int64_t box_rows = 0, box_rows_matched = 0;
  std::vector<std::string> boxes_unmatched, boxes_ambiguous;
  int64_t with_boxes = 0, without_boxes = 0;  // images
  int64_t masks = 0, masks_unmatched = 0;

  // Identical images: "A = B". Across two splits, and within one.
  std::vector<std::string> equal_across, equal_within;

  std::vector<ImportProblem> problems;  // that end the import
  std::vector<ImportProblem> allowed;   // that the user allows
};

// Names accepted by --allow, each with an explanation.
const std::map<std::string, std::string>& import_allowances();

// For people: at most kAccountExamples paths of each kind.
constexpr size_t kAccountExamples = 5;
std::string account_text(const ImportAccount& account);
// For programs (docs/datasets.md): at most kAccountPaths paths of each kind, with the total count.
constexpr size_t kAccountPaths = 1000;
Json account_json(const ImportAccount& account);

}  // namespace remixer::data
