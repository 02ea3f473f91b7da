// SPDX-License-Identifier: Apache-2.0
// Imports data sets in place: images stay in the user's folder, where nothing is written; manifest
// and indexes go to the workspace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/importer/account.h"

namespace remixer::data {

struct ImportJob {
  std::string kind;              // a published set's name, or "folder"
  std::filesystem::path folder;  // where the images are
  std::filesystem::path labels;  // for ReaL: real.json
  std::filesystem::path boxes;   // VOC files or a table; empty for none
  std::string masks;             // folder of masks, named by its path below `folder`; or empty
  double hold_out = 0;           // share of a one-split folder that becomes "val"
  bool skip_broken = false;      // leave broken images out instead of refusing them all
  std::set<std::string> allow;   // names of import_allowances()
  bool dry_run = false;          // write nothing
  std::filesystem::path workspace;
  std::string name;      // for grids
  bool replace = false;  // take the name from another dataset
  // Reports images read; may throw to stop.
  std::function<void(const char* what, int64_t done, int64_t total)> on_progress;
};

struct ImportReport {
  ImportAccount account;
  std::filesystem::path folder;  // in the workspace; empty after a dry run
  std::string content_hash;
  std::map<std::string, int64_t> images;  // by split
  std::vector<std::string> classes;
  std::vector<std::string> differences;  // from the published set, one per line
  std::vector<std::string> broken;       // left out, one per line
  int64_t boxes = 0, masks = 0;          // images that have one
  int64_t released_count = 0;            // ReaL: number of images by the released nine-class count
};

// Reads and decodes every image once. Throws InputError if the folder's layout does not fit the
// kind, the name is taken, something was not understood (ImportAccount::problems) that `allow` does
// not list, or (without skip_broken) an image, box or mask is broken: the message names the first
// one and their number, and nothing is imported. Importing the same images again, from another
// place or under another name, gives the same dataset, which keeps its names and places. If this
// throws, `account` holds what was seen so far.
ImportReport import_dataset(const ImportJob& job, ImportAccount& account);
ImportReport import_dataset(const ImportJob& job);

}  // namespace remixer::data
