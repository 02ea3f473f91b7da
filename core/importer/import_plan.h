// Which images a folder holds, and as what: the layouts in which datasets are published.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/dataset/boxes.h"
#include "core/dataset/dataset.h"
#include "core/dataset/published_sets.h"
#include "core/importer/importer.h"

namespace remixer::data {

struct ImportPlan {
  std::filesystem::path root;  // absolute; sample ids are paths below it
  std::vector<std::string> classes;
  std::map<std::string, std::vector<Sample>> splits;  // without boxes and masks
  int64_t released_count = 0;
  std::vector<std::string> notes;  // what the folder lacks of what was published
};

// Lists; opens no image. Throws InputError where the folder is laid out otherwise.
ImportPlan plan_import(const ImportJob& job, const PublishedSet& set, const BoxIndex* boxes);

}  // namespace remixer::data
