// SPDX-License-Identifier: Apache-2.0
#include "core/builders/challenge_builder.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "base/random.h"
#include "core/builders/challenge_source.h"
#include "core/dataset/dataset_writer.h"
#include "core/dataset/imagenet_classes.h"
#include "core/dataset/normalisation.h"
#include "core/image/folders.h"
#include "core/image/image_files.h"
#include "experiments/spec/imported.h"

namespace remixer::data {

namespace {

// The streams of RandomPurpose::kDataset used by this builder (Random's argument a).
enum Stream : uint64_t {
  kOrder = 16,  // b = part and class
  kMixed = 17,  // b = hash of the photograph's path
};
constexpr size_t kMostBrokenNamed = 100;
constexpr double kNoteEvery = 5;  // at most these seconds of work are lost in a kill

enum Part { kTrain, kTest };
constexpr std::array<const char*, 2> kPartFolders = {"train", "val"};

// One photograph that may enter the dataset.
struct Candidate {
  const SourcePhotograph* source = nullptr;
  Rejection outcome = Rejection::kNone;
  Box box;           // in the photograph; after segmentation, in the square
  std::string name;  // file name without folder: "n02106662_7.png"
};

class ChallengeBuilder {
 public:
  explicit ChallengeBuilder(const ChallengeJob& job)
      : job_(job),
        seed_(static_cast<uint64_t>(job.spec.parameter("seed"))),
        source_(open_challenge_source(job.photographs, job.boxes, seed_)),
        geometry_(geometry_of(job.spec)),
        writer_(final_folder(), class_names(), geometry_.crop, {}, resume_text()) {
    report_.layout = source_.layout;
    read_notes();
  }

  ChallengeReport run() {
    check_annotations();
    for (const Part part : {kTrain, kTest}) segment_part(part);
    clear_unused();
    for (const Part part : {kTrain, kTest}) {
      if (has_variants(part)) mix(part);
    }
    write_indexes();
    publish();
    return std::move(report_);
  }

 private:
  using Chosen = std::array<std::vector<size_t>, kImageNet9Classes>;

  fs::path final_folder() const {
    return job_.in_workspace
               ? job_.output / "datasets" / (job_.name.empty() ? "unnamed" : job_.name)
               : job_.output;
  }

  static SquareCrop geometry_of(const experiments::DatasetSpec& spec) {
    const auto size = [&](const char* name) { return static_cast<int>(spec.parameter(name)); };
    const SquareCrop geometry{size("resize"), size("image_size"), size("grabcut_scale")};
    if (geometry.crop > geometry.resize) {
      fail_input("image_size {} is more than resize {}: the crop would not fit", geometry.crop,
                 geometry.resize);
    }
    return geometry;
  }

  static std::vector<std::string> class_names() {
    return {imagenet9_class_names().begin(), imagenet9_class_names().end()};
  }

  // Identifies the inputs: a half-built dataset's files are reused only if this text is equal.
  std::string resume_text() const {
    Json made_of = {{"spec", write_value(job_.spec)}, {"folder", source_.folder.string()}};
    std::string paths;
    for (const SourcePhotograph& photograph : source_.photographs) paths += photograph.path + "\n";
    made_of["photographs"] = sha256_hex(paths);
    return content_id(made_of);
  }

  int64_t parameter(const char* name) const { return job_.spec.parameter(name); }
  bool has_variants(Part part) const { return part == kTest || parameter("train_variants") == 1; }
  void progress(const char* what, int64_t done, int64_t total) const {
    if (job_.on_progress) job_.on_progress(what, done, total);
  }

  void read_notes();
  void check_annotations();
  Rejection check(Candidate& candidate);
  void segment_part(Part part);
  Rejection segment(size_t index);
  void segment_all(const std::vector<size_t>& wave, const char* what);
  void write_squares(const Candidate& candidate, Part part, const ChallengeImage& image);
  void clear_unused();
  void mix(Part part);
  void write_indexes();
  void publish();
  void add_rows(Part part, const Candidate& candidate);

  std::string path(const char* variant, Part part, const Candidate& candidate) const {
    return fmt::format("{}/{}/{}/{}", variant, kPartFolders[part],
                       imagenet9_class_names()[static_cast<size_t>(candidate.source->label)],
                       candidate.name);
  }
  std::string split_name(size_t variant, Part part) const {
    if (part == kTest) return kVariants[variant];
    return variant == 0 ? "train" : fmt::format("train_{}", kVariants[variant]);
  }
  Part part_of(const Candidate& candidate) const { return candidate.source->test ? kTest : kTrain; }
  void note_broken(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (report_.broken.size() < kMostBrokenNamed) report_.broken.push_back(text);
  }

  const ChallengeJob& job_;
  uint64_t seed_;
  ChallengeSource source_;
  SquareCrop geometry_;
  DatasetWriter writer_;
  ChallengeReport report_;
  std::vector<Candidate> candidates_;
  std::array<Chosen, 2> chosen_;
  std::unordered_map<std::string, std::pair<Rejection, Box>> noted_;  // by path
  std::unordered_map<std::string, std::string> mixed_with_;  // variant + path → the other image
  std::map<std::string, std::vector<Sample>> rows_;
  std::mutex mutex_;
  std::string pending_notes_;
  double last_note_ = system_clock().monotonic();
};

// Reads "path \t outcome \t x0 \t y0 \t x1 \t y1" for each photograph segmented earlier.
void ChallengeBuilder::read_notes() {
  for (const std::string& line : writer_.notes()) {
    std::vector<std::string> fields;
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find('\t', begin), line.size());
      fields.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    if (fields.size() != 6) continue;
    noted_[fields[0]] = {
        static_cast<Rejection>(std::stoi(fields[1])),
        {std::stoi(fields[2]), std::stoi(fields[3]), std::stoi(fields[4]), std::stoi(fields[5])}};
  }
}

// The checks that need no pixels.
Rejection ChallengeBuilder::check(Candidate& candidate) {
  const std::string& path = candidate.source->path;
  std::optional<Annotation> annotation;
  try {
    annotation = source_.boxes.find(path);
  } catch (const InputError& error) {
    note_broken(error.what());
    return Rejection::kBrokenBox;
  }
  if (!annotation) return Rejection::kNoAnnotation;
  ImageSize size;
  try {
    size = read_image_size(source_.folder / path);
  } catch (const InputError& error) {
    note_broken(error.what());
    return Rejection::kBrokenImage;
  }
  const Rejection outcome =
      check_annotation(*annotation, size.width, size.height, geometry_, candidate.box);
  if (outcome == Rejection::kBrokenBox) {
    Box box = annotation->boxes.front();
    note_broken(fmt::format("{}: {} ({},{} to {},{} in {}x{} pixels)", path,
                            fit_box(box, size.width, size.height), annotation->boxes[0].x0,
                            annotation->boxes[0].y0, annotation->boxes[0].x1,
                            annotation->boxes[0].y1, size.width, size.height));
  }
  return outcome;
}

void ChallengeBuilder::check_annotations() {
  std::unordered_set<std::string> names;
  bool unique = true;
  for (const SourcePhotograph& photograph : source_.photographs) {
    unique = names.insert(fs::path(photograph.path).stem().string()).second && unique;
  }
  for (const SourcePhotograph& photograph : source_.photographs) {
    Candidate candidate;
    candidate.source = &photograph;
    candidate.name = fs::path(photograph.path).replace_extension().string();
    if (unique) {
      candidate.name = fs::path(photograph.path).stem().string();
    } else {
      std::replace(candidate.name.begin(), candidate.name.end(), '/', '_');
    }
    candidate.name += ".png";
    candidates_.push_back(std::move(candidate));
  }
  const auto total = static_cast<int64_t>(candidates_.size());
  parallel_for(
      total, 0,
      [&](int64_t i) {
        Candidate& candidate = candidates_[static_cast<size_t>(i)];
        candidate.outcome = check(candidate);
      },
      [&](int64_t done) { progress("reading boxes", done, total); });
  std::sort(report_.broken.begin(), report_.broken.end());
  for (const Candidate& candidate : candidates_) {
    if (candidate.outcome != Rejection::kNone) {
      ++report_.outcomes[static_cast<size_t>(candidate.outcome)];
    }
  }
}

void ChallengeBuilder::write_squares(const Candidate& candidate, Part part,
                                     const ChallengeImage& image) {
  const auto write = [&](const char* variant, const auto& pixels) {
    writer_.add_file(path(variant, part, candidate), encode_png(pixels, Compression::kNone));
  };
  write("original", image.original);
  write("fg_mask", image.mask);
  if (!has_variants(part)) return;
  write("only_bg_b", only_bg_b(image));
  write("only_bg_t", image.only_bg_t);
  write("no_fg", no_fg(image));
  write("only_fg", only_fg(image));
}

// Segments one photograph and writes all variants that need no other image.
Rejection ChallengeBuilder::segment(size_t index) {
  Candidate& candidate = candidates_[index];
  const std::string& path = candidate.source->path;
  if (const auto noted = noted_.find(path); noted != noted_.end()) {
    candidate.box = noted->second.second;
    return noted->second.first;
  }
  Rejection outcome = Rejection::kBrokenImage;
  try {
    const Image photograph = read_image(source_.folder / path);
    ChallengeImage image;
    outcome = make_challenge_image(photograph, candidate.box, geometry_, seed_ + xxh3(path), image);
    if (outcome == Rejection::kNone) {
      candidate.box = image.box;
      write_squares(candidate, part_of(candidate), image);
    }
  } catch (const InputError& error) {
    note_broken(error.what());
  }
  const std::lock_guard lock(mutex_);
  pending_notes_ +=
      fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", path, static_cast<int>(outcome), candidate.box.x0,
                  candidate.box.y0, candidate.box.x1, candidate.box.y1);
  return outcome;
}

void ChallengeBuilder::segment_all(const std::vector<size_t>& wave, const char* what) {
  const auto note = [&] {
    std::string lines;
    {
      const std::lock_guard lock(mutex_);
      lines.swap(pending_notes_);
    }
    if (!lines.empty()) writer_.note(lines);
    last_note_ = system_clock().monotonic();
  };
  const auto total = static_cast<int64_t>(wave.size());
  parallel_for(
      total, 0,
      [&](int64_t i) {
        const size_t index = wave[static_cast<size_t>(i)];
        candidates_[index].outcome = segment(index);
      },
      [&](int64_t done) {
        if (system_clock().monotonic() - last_note_ > kNoteEvery) note();
        progress(what, done, total);
      });
  note();
  for (const size_t index : wave)
    ++report_.outcomes[static_cast<size_t>(candidates_[index].outcome)];
}

// Takes each class's photographs in random order until all classes have equally many: as many as
// the smallest class allows, up to the limit.
void ChallengeBuilder::segment_part(Part part) {
  Chosen order;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const bool taken =
        part_of(candidates_[i]) == part && candidates_[i].outcome == Rejection::kNone;
    if (taken) order[static_cast<size_t>(candidates_[i].source->label)].push_back(i);
  }
  for (size_t label = 0; label < order.size(); ++label) {
    Random random(seed_, RandomPurpose::kDataset, kOrder, static_cast<uint64_t>(part) * 16 + label);
    for (size_t i = 0; i < order[label].size(); ++i) {
      std::swap(order[label][i], order[label][i + random.below(order[label].size() - i)]);
    }
    for (const char* folder : {"original", "fg_mask", "only_bg_b", "only_bg_t", "no_fg", "only_fg",
                               "mixed_same", "mixed_rand", "mixed_next"}) {
      const bool needed = has_variants(part) || std::string_view(folder) == "original" ||
                          std::string_view(folder) == "fg_mask";
      if (needed) {
        writer_.add_folder(
            fmt::format("{}/{}/{}", folder, kPartFolders[part], imagenet9_class_names()[label]));
      }
    }
  }

  const bool balanced = parameter("balance") == 1;
  const int64_t limit = parameter(part == kTrain ? "train_per_class" : "test_per_class");
  std::array<size_t, kImageNet9Classes> wanted{}, next{};
  for (size_t label = 0; label < order.size(); ++label) {
    wanted[label] = order[label].size();
    if (limit > 0) wanted[label] = std::min(wanted[label], static_cast<size_t>(limit));
  }
  Chosen& chosen = chosen_[part];
  const auto require_images = [&](const Chosen& left) {
    for (size_t label = 0; label < left.size(); ++label) {
      if (!left[label].empty()) continue;
      fail_input(
          "no {} image of class {} is left ({} passed the rules on boxes); there must be at "
          "least one of each",
          part == kTrain ? "training" : "test", imagenet9_class_names()[label],
          order[label].size());
    }
  };
  require_images(order);
  for (;;) {
    if (balanced) wanted.fill(*std::min_element(wanted.begin(), wanted.end()));
    std::vector<size_t> wave;
    std::array<size_t, kImageNet9Classes> begin = next;
    for (size_t label = 0; label < order.size(); ++label) {
      for (size_t have = chosen[label].size();
           have < wanted[label] && next[label] < order[label].size(); ++have) {
        wave.push_back(order[label][next[label]++]);
      }
    }
    if (wave.empty()) break;
    segment_all(wave, part == kTrain ? "cutting training images" : "cutting test images");
    for (size_t label = 0; label < order.size(); ++label) {
      for (size_t i = begin[label]; i < next[label]; ++i) {
        const size_t index = order[label][i];
        if (candidates_[index].outcome == Rejection::kNone) chosen[label].push_back(index);
      }
      const bool exhausted = next[label] == order[label].size();
      if (exhausted) wanted[label] = std::min(wanted[label], chosen[label].size());
    }
  }
  require_images(chosen);
  for (size_t label = 0; label < order.size(); ++label) {
    chosen[label].resize(std::min(chosen[label].size(), wanted[label]));
    std::sort(chosen[label].begin(), chosen[label].end());
  }
}

// Removes squares of photographs that balancing left out after segmentation.
void ChallengeBuilder::clear_unused() {
  std::vector<bool> used(candidates_.size());
  for (const Chosen& part : chosen_) {
    for (const auto& indexes : part) {
      for (const size_t index : indexes) used[index] = true;
    }
  }
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    const bool cut =
        noted_.contains(candidate.source->path) || candidate.outcome == Rejection::kNone;
    if (used[i] || !cut) continue;
    for (const char* variant :
         {"original", "fg_mask", "only_bg_b", "only_bg_t", "no_fg", "only_fg"}) {
      writer_.remove_file(path(variant, part_of(candidate), candidate));
    }
  }
}

// Mixed-Same, -Rand and -Next: over the Only-BG-T of a random image (possibly itself) of the same
// class, of any class, of the next class.
void ChallengeBuilder::mix(Part part) {
  const Chosen& chosen = chosen_[part];
  std::vector<size_t> all;
  for (const auto& indexes : chosen) all.insert(all.end(), indexes.begin(), indexes.end());
  const auto total = static_cast<int64_t>(all.size());
  parallel_for(
      total, 0,
      [&](int64_t i) {
        const Candidate& candidate = candidates_[all[static_cast<size_t>(i)]];
        const auto label = static_cast<uint64_t>(candidate.source->label);
        Random random(seed_, RandomPurpose::kDataset, kMixed, xxh3(candidate.source->path));
        const std::array<uint64_t, 3> classes = {label, random.below(kImageNet9Classes),
                                                 (label + 1) % kImageNet9Classes};
        const std::string object_path = path("only_fg", part, candidate);
        const Image object = decode_image(writer_.read_file(object_path), object_path);
        for (size_t v = 0; v < classes.size(); ++v) {
          const auto& others = chosen[classes[v]];
          const Candidate& other = candidates_[others[random.below(others.size())]];
          const std::string other_path = path("only_bg_t", part, other);
          const Image background = decode_image(writer_.read_file(other_path), other_path);
          const std::string target = path(kVariants[5 + v], part, candidate);
          writer_.add_file(target, encode_png(mixed(object, background), Compression::kNone));
          const std::lock_guard lock(mutex_);
          mixed_with_[target] = other.source->path;
        }
      },
      [&](int64_t done) { progress("mixing", done, total); });
}

void ChallengeBuilder::add_rows(Part part, const Candidate& candidate) {
  Sample whole;
  whole.label = candidate.source->label;
  whole.box = candidate.box;
  whole.mask = path("fg_mask", part, candidate);
  whole.foreground = whole.background = candidate.source->path;
  for (size_t v = 0; v < (has_variants(part) ? kVariants.size() : 1); ++v) {
    const std::string_view variant = kVariants[v];
    Sample sample = whole;
    sample.id = path(kVariants[v], part, candidate);
    if (variant == "only_bg_b" || variant == "only_bg_t") {
      sample.box.reset();
      sample.mask.clear();
      sample.foreground.clear();
    } else if (variant == "no_fg") {
      sample.foreground.clear();
    } else if (variant == "only_fg") {
      sample.background.clear();
    } else if (v >= 5) {
      sample.background = mixed_with_.at(sample.id);
    }
    rows_[split_name(v, part)].push_back(std::move(sample));
  }
}

void ChallengeBuilder::write_indexes() {
  for (const Part part : {kTrain, kTest}) {
    for (const auto& indexes : chosen_[part]) {
      for (const size_t index : indexes) add_rows(part, candidates_[index]);
    }
  }
  for (const auto& [split, samples] : rows_) {
    writer_.add_split(split, samples);
    report_.splits[split] = static_cast<int64_t>(samples.size());
  }
}

void ChallengeBuilder::publish() {
  Json rejected = Json::object();
  for (size_t i = 1; i < kRejections; ++i) {
    if (report_.outcomes[i] > 0) {
      rejected[rejection_text(static_cast<Rejection>(i))] = report_.outcomes[i];
    }
  }
  if (!job_.name.empty()) writer_.describe("name", job_.name);
  writer_.describe("made_by", write_value(job_.spec));
  writer_.describe("photographs_refused", rejected);
  writer_.name_by_content(job_.in_workspace);
  progress("hashing", 0, 1);
  report_.folder = writer_.publish(kImageNetMean, kImageNetDeviation);
  if (!job_.in_workspace) return;
  for (const fs::path& folder : experiments::folders_named(job_.output, job_.name)) {
    if (folder != report_.folder) take_name_from(folder, job_.name);
  }
}

}  // namespace

ChallengeReport build_challenge(const ChallengeJob& job) {
  if (job.in_workspace && !job.replace) {
    for (const fs::path& folder : experiments::folders_named(job.output, job.name)) {
      fail_input(
          "another dataset ({}) is called '{}' already; choose another --name, or --replace "
          "it",
          folder.string(), job.name);
    }
  }
  return ChallengeBuilder(job).run();
}

}  // namespace remixer::data
