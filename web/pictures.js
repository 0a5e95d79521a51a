// Pictures on their way to the Draw view: chosen in its file input, pasted, or dropped on it. Each is checked before its pixels are
// decoded, then decoded in the background, made small and grey, and handed over as JSON text.
//
//   quantlab.pictures.listen(root, cb)   cb(kind, payload): "reading" when a picture has come, then "picture" with
//                                        {width, height, gray}, gray in base64, or "problem" with a sentence;
//                                        returns {stop()}
"use strict";

(() => {
  const mostBytes = 64 << 20, mostPixels = 64e6, longerSide = 640;

  const magics = [
    ["image", [0x89, 0x50, 0x4e, 0x47]], ["image", [0xff, 0xd8, 0xff]], ["image", [0x47, 0x49, 0x46, 0x38]],
    ["image", [0x42, 0x4d]], ["webp", [0x52, 0x49, 0x46, 0x46]], ["PDF", [0x25, 0x50, 0x44, 0x46]], ["ZIP archive", [0x50, 0x4b, 3, 4]],
  ];

  class Problem extends Error {}

  const mega = (n) => (n / 1e6).toFixed(n < 1e7 ? 1 : 0);

  // What the file's first bytes say that it is, whatever its name says.
  function kindOf(head) {
    const is = (magic, at = 0) => magic.every((byte, i) => head[at + i] === byte);
    for (const [kind, magic] of magics) {
      if (is(magic)) return kind === "webp" ? (is([0x57, 0x45, 0x42, 0x50], 8) ? "image" : "") : kind;
    }
    return is([0x66, 0x74, 0x79, 0x70], 4) ? "image" : ""; // AVIF and HEIC, which some browsers read
  }

  async function check(file) {
    const name = file.name ? `“${file.name.slice(0, 60)}”` : "This";
    if (file.size === 0) throw new Problem(`${name} is empty: choose another picture.`);
    if (file.size > mostBytes) throw new Problem(`${name} has ${mega(file.size)} MB: choose a picture of at most ${mostBytes >> 20} MB.`);
    const kind = kindOf(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
    if (kind === "image") return name;
    if (kind) throw new Problem(`${name} is a ${kind}, whatever its name says: save the page as PNG or JPEG first.`);
    throw new Problem(`${name} is no picture that a browser reads: choose a PNG, JPEG, WebP or GIF file.`);
  }

  // The size as the header has it, turned as EXIF says. The pixels are not decoded for that.
  async function measure(file, name) {
    const url = URL.createObjectURL(file);
    try {
      const img = new Image();
      await new Promise((resolve, reject) => {
        img.onload = resolve;
        img.onerror = () => reject(new Problem(`${name} is damaged, or of a kind that this browser does not read: save it as PNG or JPEG.`));
        img.src = url;
      });
      return [img.naturalWidth, img.naturalHeight];
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  async function shrink(file, width, height) {
    const scale = Math.min(1, longerSide / Math.max(width, height));
    const w = Math.max(1, Math.round(width * scale)), h = Math.max(1, Math.round(height * scale));
    const bitmap = await createImageBitmap(file, { resizeWidth: w, resizeHeight: h, resizeQuality: "high", imageOrientation: "from-image" });
    const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#fff"; // paper, where the picture is transparent
    context.fillRect(0, 0, w, h);
    context.drawImage(bitmap, 0, 0, w, h);
    bitmap.close();
    return context.getImageData(0, 0, w, h);
  }

  function grey({ data, width, height }) {
    const gray = new Uint8Array(width * height);
    for (let i = 0, p = 0; i < gray.length; i++, p += 4) {
      gray[i] = 0.299 * data[p] + 0.587 * data[p + 1] + 0.114 * data[p + 2] + 0.5; // ITU-R BT.601
    }
    return gray;
  }

  const base64 = (bytes) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([bytes]));
  });

  async function read(file) {
    const name = await check(file);
    const [width, height] = await measure(file, name);
    if (!width || !height) throw new Problem(`${name} has no pixels: choose another picture.`);
    if (width * height > mostPixels) {
      throw new Problem(`${name} has ${mega(width * height)} megapixels: choose a picture of at most ${mega(mostPixels)}.`);
    }
    const small = await shrink(file, width, height).catch(() => {
      throw new Problem(`${name} can't be decoded: it may be damaged. Save it as PNG or JPEG.`);
    });
    return JSON.stringify({ width: small.width, height: small.height, gray: await base64(grey(small)) });
  }

  // Of several files the first picture, or else the first file, so that what is wrong with it is said.
  const choose = (files) => [...files].find((f) => f.type.startsWith("image/")) ?? files[0];

  function listen(root, cb) {
    const stopped = new AbortController();
    let latest = 0;

    async function take(files) {
      const file = choose(files), turn = ++latest;
      if (!file) return;
      cb("reading", "");
      let kind = "picture", payload;
      try {
        payload = await read(file);
      } catch (error) {
        [kind, payload] = ["problem", error instanceof Problem ? error.message : "This file can't be read: choose it again."];
      }
      if (turn === latest && !stopped.signal.aborted) cb(kind, payload);
    }

    globalThis.quantlab.files.arrive(root, stopped.signal, {
      chosen: take,
      pasted: ({ files }) => {
        if (files.length) take(files);
        else cb("problem", "There is no picture on the clipboard: copy one, or drop its file here.");
      },
      dropped: ({ files }) => take(files),
      over: (n) => root.classList.toggle("dropping", n > 0),
    });
    return { stop: () => stopped.abort() };
  }

  (globalThis.quantlab ??= {}).pictures = { listen };
})();
