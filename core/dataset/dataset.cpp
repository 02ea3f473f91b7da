// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/dataset.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/parse_number.h"
#include "core/dataset/dataset_writer.h"
#include "experiments/spec/imported.h"

namespace remixer::data {

namespace {

// A typed field of the manifest; throws InputError naming it if missing or of another type.
template <typename T>
T field(const Json& manifest, const char* name, const fs::path& file) {
  try {
    return manifest.at(name).get<T>();
  } catch (const Json::exception&) {
    fail_input("{}: \"{}\" is missing or of a wrong type; build the dataset again", file.string(),
               name);
  }
}

// The fields of one line of an index. The text is untrusted: every field is checked.
class Row {
 public:
  Row(std::string_view line, std::string where) : where_(std::move(where)) {
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find('\t', begin), line.size());
      fields_.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    if (fields_.size() != kIndexColumns.size()) {
      fail_input("{}: {} columns, {} expected", where_, fields_.size(), kIndexColumns.size());
    }
  }

  std::string_view text(size_t column) const { return fields_[column]; }

  // A path that must not leave the dataset's folder.
  std::string path(size_t column) const {
    const fs::path path(fields_[column]);
    const bool leaves = std::find(path.begin(), path.end(), "..") != path.end();
    if (path.is_absolute() || leaves) {
      fail_input("{}: {} \"{}\" leads out of the dataset", where_, kIndexColumns[column],
                 fields_[column]);
    }
    return path.string();
  }

  // The boxes whose corners are in the four columns from `first` on; none if all are empty. With
  // image_size 0 there is no lower right bound.
  std::vector<Box> boxes(size_t first, int image_size) const {
    std::array<std::vector<int>, 4> corners;
    for (size_t i = 0; i < 4; ++i) corners[i] = numbers(first + i);
    for (size_t c = 1; c < 4; ++c) {
      if (corners[c].size() != corners[0].size()) {
        fail_input("{}: {} gives {} boxes, {} gives {}", where_, kIndexColumns[first],
                   corners[0].size(), kIndexColumns[first + c], corners[c].size());
      }
    }
    std::vector<Box> boxes;
    for (size_t i = 0; i < corners[0].size(); ++i) {
      const Box box{corners[0][i], corners[1][i], corners[2][i], corners[3][i]};
      const bool inside = image_size == 0 || (box.x1 < image_size && box.y1 < image_size);
      if (box.x0 < 0 || box.y0 < 0 || box.x0 > box.x1 || box.y0 > box.y1 || !inside) {
        fail_input("{}: box {},{} to {},{} does not lie in an image of {} pixels", where_, box.x0,
                   box.y0, box.x1, box.y1, image_size == 0 ? "any" : std::to_string(image_size));
      }
      boxes.push_back(box);
    }
    return boxes;
  }

  const std::string& where() const { return where_; }

 private:
  // "12", or "12,40" for several boxes; empty if the column is empty.
  std::vector<int> numbers(size_t column) const {
    std::vector<int> values;
    const std::string_view text = fields_[column];
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      if (text.empty()) break;
      values.push_back(number(text.substr(begin, end - begin), column));
      begin = end + 1;
    }
    return values;
  }

  int number(std::string_view text, size_t column) const {
    const auto value = parse_number<int>(text);
    if (!value) {
      fail_input("{}: {} \"{}\" is not a whole number", where_, kIndexColumns[column], text);
    }
    return *value;
  }

  std::string where_;
  std::vector<std::string_view> fields_;
};

// Labels by class name.
using ClassIndex = std::map<std::string, int, std::less<>>;

// One class, or several right answers separated by '|'.
std::vector<int> read_labels(const Row& row, const ClassIndex& classes) {
  std::vector<int> labels;
  const std::string_view text = row.text(1);
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('|', begin), text.size());
    const auto found = classes.find(text.substr(begin, end - begin));
    if (found == classes.end()) {
      fail_input("{}: \"{}\" is not a class of the manifest", row.where(),
                 text.substr(begin, end - begin));
    }
    labels.push_back(found->second);
    begin = end + 1;
  }
  return labels;
}

Sample read_sample(const Row& row, const ClassIndex& classes, int image_size) {
  Sample sample;
  sample.id = row.path(0);
  if (sample.id.empty()) fail_input("{}: no image is named", row.where());
  std::vector<int> labels = read_labels(row, classes);
  sample.label = labels.front();
  sample.more_labels.assign(labels.begin() + 1, labels.end());
  std::vector<Box> boxes = row.boxes(2, image_size);
  if (!boxes.empty()) {
    sample.box = boxes.front();
    sample.more_boxes.assign(boxes.begin() + 1, boxes.end());
  }
  sample.mask = row.path(6);
  sample.foreground = row.text(7);
  sample.background = row.text(8);
  return sample;
}

std::vector<Sample> read_index(const fs::path& file, const std::vector<std::string>& classes,
                               int image_size) {
  const std::string text = read_file(file);
  ClassIndex labels;
  for (size_t i = 0; i < classes.size(); ++i) labels.emplace(classes[i], static_cast<int>(i));
  const std::string header = fmt::format("{}", fmt::join(kIndexColumns, "\t"));
  std::vector<Sample> samples;
  std::unordered_set<std::string> ids;
  size_t line_number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const std::string where = fmt::format("{}:{}", file.string(), ++line_number);
    if (end == std::string::npos) {
      fail_input("{}: the line has no end, so the file is torn; build the dataset again", where);
    }
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line_number == 1) {
      if (line != header) fail_input("{}: the columns must be {}", where, header);
      continue;
    }
    samples.push_back(read_sample(Row(line, where), labels, image_size));
    if (!ids.insert(samples.back().id).second) {
      fail_input("{}: {} is listed twice", where, samples.back().id);
    }
  }
  return samples;
}

Json read_manifest(const fs::path& file) {
  Json manifest = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object()) {
    fail_input("{} is not JSON; build the dataset again", file.string());
  }
  const int format = field<int>(manifest, "format", file);
  if (format != kDatasetFormat) {
    fail_input("{} is of format {}, this program reads {}; build the dataset again", file.string(),
               format, kDatasetFormat);
  }
  return manifest;
}

// The images' folder: that of the last import, or another known one if that is gone.
fs::path choose_root(const Json& manifest, const fs::path& file) {
  field<std::string>(manifest, "root", file);
  const std::vector<std::string> roots = experiments::manifest_list(manifest, "root");
  for (const fs::path root : roots) {
    if (!root.is_absolute()) {
      fail_input("{}: \"root\" must be the absolute path of a folder", file.string());
    }
  }
  const auto found = std::find_if(roots.begin(), roots.end(),
                                  [](const fs::path& root) { return fs::is_directory(root); });
  return found == roots.end() ? roots.front() : *found;
}

// The manifest's number of samples in `split`.
size_t samples_of_split(const Json& manifest, const std::string& split, const fs::path& file) {
  const auto splits = field<std::map<std::string, size_t>>(manifest, "splits", file);
  const auto found = splits.find(split);
  if (found == splits.end()) {
    std::vector<std::string> names;
    for (const auto& entry : splits) names.push_back(entry.first);
    fail_input("{} has no split \"{}\"; it has {}", file.parent_path().string(), split,
               fmt::join(names, ", "));
  }
  return found->second;
}

}  // namespace

Dataset Dataset::open(const fs::path& folder, const std::string& split) {
  if (!fs::is_directory(folder)) {
    fail_input("{} is not a folder; build a dataset there first", folder.string());
  }
  const fs::path file = folder / "manifest.json";
  const Json manifest = read_manifest(file);

  Dataset dataset;
  dataset.folder_ = folder;
  dataset.split_ = split;
  dataset.classes_ = field<std::vector<std::string>>(manifest, "classes", file);
  dataset.image_size_ = field<int>(manifest, "image_size", file);
  dataset.mean_ = field<std::array<float, 3>>(manifest, "mean", file);
  dataset.deviation_ = field<std::array<float, 3>>(manifest, "deviation", file);
  dataset.content_hash_ = field<std::string>(manifest, "content_sha256", file);
  if (dataset.image_size_ < 0) {
    fail_input("{}: \"image_size\" must be at least 1, or 0 for images of many sizes",
               file.string());
  }
  dataset.root_ = folder;
  if (manifest.contains("root")) {
    dataset.root_ = choose_root(manifest, file);
  }
  for (const float deviation : dataset.deviation_) {
    if (!(deviation > 0)) fail_input("{}: \"deviation\" must be above 0", file.string());
  }

  const size_t expected = samples_of_split(manifest, split, file);
  const fs::path index = folder / (split + ".tsv");
  dataset.samples_ = read_index(index, dataset.classes_, dataset.image_size_);
  if (dataset.samples_.size() != expected) {
    fail_input("{} lists {} images, {} says {}; build the dataset again", index.string(),
               dataset.samples_.size(), file.string(), expected);
  }
  return dataset;
}

}  // namespace remixer::data
