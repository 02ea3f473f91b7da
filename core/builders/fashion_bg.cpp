// SPDX-License-Identifier: Apache-2.0
#include "core/builders/fashion_bg.h"

#include <atomic>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "core/dataset/dataset_writer.h"

namespace remixer::data {

namespace {

// Scales a garment and its mask to side x side. Each pixel is averaged over the garment's part of
// it only, so that no black background shows at the edge.
void scale_garment(const GrayImage& garment, int side, GrayImage& pixels, GrayImage& mask) {
  const GrayImage shape = silhouette(garment);
  GrayImage cut = garment;
  for (size_t i = 0; i < cut.pixels.size(); ++i) {
    if (shape.pixels[i] == 0) cut.pixels[i] = 0;
  }
  pixels = resize(cut, side, side);
  mask = resize(shape, side, side);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    const int share = mask.pixels[i];
    mask.pixels[i] = share >= 128 ? 255 : 0;
    const int value = share >= 128 ? (pixels.pixels[i] * 255 + share / 2) / share : 0;
    pixels.pixels[i] = static_cast<uint8_t>(std::min(value, 255));
  }
}

// Channel sums of the training images, exact in any order.
struct ChannelSums {
  std::array<std::atomic<uint64_t>, 3> sum{}, square{};

  void add(const Image& image) {
    std::array<uint64_t, 3> own_sum{}, own_square{};
    for (size_t i = 0; i < image.pixels.size(); ++i) {
      const uint64_t value = image.pixels[i];
      own_sum[i % 3] += value;
      own_square[i % 3] += value * value;
    }
    for (size_t c = 0; c < 3; ++c) {
      sum[c] += own_sum[c];
      square[c] += own_square[c];
    }
  }

  // Mean and deviation of channel c over `pixels` pixels, scaled to [0, 1], to six digits.
  std::pair<double, double> statistics(size_t c, double pixels) const {
    const double mean = static_cast<double>(sum[c]) / pixels;
    const double variance = static_cast<double>(square[c]) / pixels - mean * mean;
    const auto rounded = [](double value) { return std::round(value / 255 * 1e6) / 1e6; };
    return {rounded(mean), rounded(std::sqrt(variance))};
  }
};

// Builds one dataset's images; holds the state that they share.
class Builder {
 public:
  Builder(const FashionSources& sources, DatasetWriter& writer, uint64_t seed, int64_t train_images,
          int64_t test_images)
      : sources_(sources),
        writer_(writer),
        train_(plan_images(sources, Region::kTrain, train_images, seed)),
        test_(plan_images(sources, Region::kTest, test_images, seed)),
        mixed_(plan_mixed(test_, seed)) {
    for (const char* name : kGarmentClassNames) {
      writer_.add_folder(fmt::format("train/{}", name));
      writer_.add_folder(fmt::format("fg_mask/train/{}", name));
      writer_.add_folder(fmt::format("fg_mask/val/{}", name));
      for (const char* variant : kVariants) {
        writer_.add_folder(fmt::format("{}/val/{}", variant, name));
      }
    }
    train_rows_.resize(train_.size());
    for (auto& rows : test_rows_) rows.resize(test_.size());
  }

  int64_t jobs() const { return static_cast<int64_t>(train_.size() + test_.size()); }
  int64_t images() const {
    return static_cast<int64_t>(train_.size() + kVariants.size() * test_.size());
  }

  // Job i makes training image i, or all variants of one test image. Returns the number of images.
  int64_t run(int64_t job) {
    const auto index = static_cast<size_t>(job);
    if (index < train_.size()) {
      make_train(index);
      return 1;
    }
    make_test(index - train_.size());
    return static_cast<int64_t>(kVariants.size());
  }

  void publish() {
    writer_.add_split("train", train_rows_);
    for (size_t v = 0; v < kVariants.size(); ++v) writer_.add_split(kVariants[v], test_rows_[v]);
    std::array<double, 3> mean{}, deviation{};
    const double pixels =
        static_cast<double>(train_.size()) * kFashionImageSide * kFashionImageSide;
    for (size_t c = 0; c < 3; ++c) {
      std::tie(mean[c], deviation[c]) = sums_.statistics(c, pixels);
    }
    writer_.publish(mean, deviation);
  }

 private:
  static constexpr std::array kVariants = {"original", "only_bg_b",  "only_bg_t",  "no_fg",
                                           "only_fg",  "mixed_same", "mixed_rand", "mixed_next"};

  static std::string file_name(const FashionPlan& plan, size_t index) {
    return fmt::format("{}/{:05}.png", kGarmentClassNames[static_cast<size_t>(plan.label)], index);
  }

  Sample row(const FashionPlan& plan, const Scene& scene, const std::string& split,
             const std::string& part, const std::string& name) const {
    Sample sample;
    sample.id = fmt::format("{}/{}", split, name);
    sample.label = plan.label;
    sample.box = scene.box;
    sample.mask = fmt::format("fg_mask/{}/{}", part, name);
    sample.foreground = fmt::format("{}/{:05}", part == "train" ? "train" : "t10k", plan.garment);
    sample.background = crop_identity(plan.background);
    return sample;
  }

  void make_train(size_t index) {
    const FashionPlan& plan = train_[index];
    const Scene scene = make_scene(sources_, Region::kTrain, plan);
    const Image image = paste(scene.object, scene.mask, scene.background);
    const Sample sample = row(plan, scene, "train", "train", file_name(plan, index));
    writer_.add_file(sample.id, encode_png(image, Compression::kNone));
    writer_.add_file(sample.mask, encode_png(scene.mask, Compression::kNone));
    sums_.add(image);
    train_rows_[index] = sample;
  }

  void make_test(size_t index) {
    const FashionPlan& plan = test_[index];
    const Scene scene = make_scene(sources_, Region::kTest, plan);
    const std::string name = file_name(plan, index);
    writer_.add_file("fg_mask/val/" + name, encode_png(scene.mask, Compression::kNone));

    const Image original = paste(scene.object, scene.mask, scene.background);
    const Sample with_object = row(plan, scene, "original/val", "val", name);
    Sample without_box = with_object;  // shows no object
    without_box.box.reset();
    without_box.mask.clear();
    without_box.foreground.clear();
    Sample without_foreground = with_object;  // the object's shape is still visible
    without_foreground.foreground.clear();
    Sample without_background = with_object;
    without_background.background.clear();

    add(0, index, name, with_object, original);
    add(1, index, name, without_box, black_box(original, scene.box));
    add(2, index, name, without_box, tiled_box(original, scene.box));
    add(3, index, name, without_foreground, without_object(original, scene.mask));
    add(4, index, name, without_background, scene.object);
    add_mixed(5, index, name, with_object, scene, mixed_.same[index]);
    add_mixed(6, index, name, with_object, scene, mixed_.rand[index]);
    add_mixed(7, index, name, with_object, scene, mixed_.next[index]);
  }

  void add_mixed(size_t variant, size_t index, const std::string& name, Sample sample,
                 const Scene& scene, int64_t other) {
    const Crop& crop = test_[static_cast<size_t>(other)].background;
    sample.background = crop_identity(crop);
    const Image background = cut_crop(sources_.photographs, crop, kFashionImageSide);
    add(variant, index, name, std::move(sample), paste(scene.object, scene.mask, background));
  }

  void add(size_t variant, size_t index, const std::string& name, Sample sample,
           const Image& image) {
    sample.id = fmt::format("{}/val/{}", kVariants[variant], name);
    writer_.add_file(sample.id, encode_png(image, Compression::kNone));
    test_rows_[variant][index] = std::move(sample);
  }

  const FashionSources& sources_;
  DatasetWriter& writer_;
  std::vector<FashionPlan> train_, test_;
  MixedSources mixed_;
  std::vector<Sample> train_rows_;
  std::array<std::vector<Sample>, kVariants.size()> test_rows_;
  ChannelSums sums_;
};

}  // namespace

Scene make_scene(const FashionSources& sources, Region region, const FashionPlan& plan) {
  const Garments& garments = region == Region::kTrain ? sources.train : sources.test;
  GrayImage pixels, mask;
  scale_garment(garments.images[static_cast<size_t>(plan.garment)], plan.side, pixels, mask);

  Scene scene;
  scene.background = cut_crop(sources.photographs, plan.background, kFashionImageSide);
  scene.object = Image(kFashionImageSide, kFashionImageSide);
  scene.mask = GrayImage(kFashionImageSide, kFashionImageSide);
  for (int y = 0; y < plan.side; ++y) {
    for (int x = 0; x < plan.side; ++x) {
      scene.mask.at(plan.x + x, plan.y + y) = mask.at(x, y);
      std::fill_n(scene.object.at(plan.x + x, plan.y + y), 3, pixels.at(x, y));
    }
  }
  scene.box = bounding_box(scene.mask);
  return scene;
}

void build_fashion_bg(const experiments::DatasetSpec& spec, const FashionSources& sources,
                      const std::filesystem::path& folder, unsigned threads,
                      const std::function<void(int64_t done, int64_t total)>& on_progress) {
  const std::vector<std::string> classes(kGarmentClassNames.begin(), kGarmentClassNames.end());
  DatasetWriter writer(folder, classes, kFashionImageSide, spec);
  Builder builder(sources, writer, static_cast<uint64_t>(spec.parameter("seed")),
                  spec.parameter("train_images"), spec.parameter("test_images"));
  std::atomic<int64_t> images{0};
  parallel_for(
      builder.jobs(), threads, [&](int64_t job) { images += builder.run(job); },
      [&](int64_t) {
        if (on_progress) on_progress(images, builder.images());
      });
  builder.publish();
}

}  // namespace remixer::data
