# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A stock kernel: its image and modules as the distribution built them, and its source, prepared so that Rust modules
# can be built for it. Source this after rootfs.sh. A kernel's folder contains:
#
#   suite version cc   which kernel this is and its compiler, a word each
#   rootfs             link to the toolchain
#   image/             the image's packages, unpacked
#   vmlinuz modules    links into it
#   config symvers     from the headers package
#   src/ out/          the source, and the folder that modules are built against

# The headers packages ship no Rust metadata, so it is built again. The result is only the same with the same source,
# configuration and compilers, so each of these is checked.

kernel_dir() { printf '%s' "$KITDIR/$1"; }

# kernel_fetch RELEASE SUITE: fetch all packages into the cache, before anything is built.
kernel_fetch() {
	local version
	version=$(index_version "$2" "linux-headers-$1")
	# shellcheck disable=SC2046 # package names
	index_get "$2" "$version" $(kernel_packages "$1" "$2") "linux-headers-$1" "$(choose_source "$1")"
}

# The image, and the packages into which newer releases split it.
kernel_packages() {
	echo "linux-image-$1"
	index_apt "$2" apt-cache depends "linux-image-$1" |
		awk -v r="-$1" '/Depends: linux-/ && index($2, r) { print $2 }' | sort -u
}

# kernel_unpack RELEASE SUITE: image, configuration and symbols.
kernel_unpack() {
	local dir part version package found
	dir=$(kernel_dir "$1")
	part=$dir.part
	version=$(index_version "$2" "linux-headers-$1")
	rm -rf "$part"
	mkdir -p "$part/image"
	for package in $(kernel_packages "$1" "$2"); do
		dpkg-deb -x "$(deb "$package" "$version")" "$part/image"
	done
	found=$(cd "$part" && find image -name vmlinuz -o -name "vmlinuz-$1" | head -n 1)
	ln -s "$found" "$part/vmlinuz"
	found=$(cd "$part" && find image -type d -path "*lib/modules/$1" | head -n 1)
	ln -s "$found" "$part/modules"

	dpkg-deb --fsys-tarfile "$(deb "linux-headers-$1" "$version")" > "$part/headers.tar"
	tar -xOf "$part/headers.tar" "./usr/src/linux-headers-$1/.config" > "$part/config"
	tar -xOf "$part/headers.tar" "./usr/src/linux-headers-$1/Module.symvers" > "$part/symvers"
	rm "$part/headers.tar"

	# A depmod that is told of this folder looks for modules here.
	[ -e "$part/image/lib" ] || ln -s usr/lib "$part/image/lib"

	echo "$2" > "$part/suite"
	echo "$version" > "$part/version"
	# The compiler's name, as in CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-14 (Debian …"
	sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' "$part/config" > "$part/cc"
	ln -s "../rootfs/$2-$(kernel_gcc "$part")" "$part/rootfs"
	mv "$part" "$dir"
}

# The package of the compiler: x86_64-linux-gnu-gcc-14 is in gcc-14.
kernel_gcc() { sed 's/.*\(gcc-[0-9]*\)$/\1/' "$1/cc"; }

# kernel_source RELEASE: unpack the source, except what no module ever includes.
kernel_source() {
	local dir version source
	dir=$(kernel_dir "$1")
	version=$(cat "$dir/version")
	source=$(choose_source "$1")
	rm -rf "$dir/src.part"
	mkdir "$dir/src.part"
	dpkg-deb --fsys-tarfile "$(deb "$source" "$version")" |
		tar -xO "./usr/src/$source.tar.xz" |
		xz -dc -T0 |
		tar -x -C "$dir/src.part" --strip-components=1 --wildcards \
			--exclude='*/Documentation/*/*' \
			--exclude='*/tools/testing/*' \
			--exclude='*/arch/*.dts*' \
			--exclude='*/drivers/gpu/*.[ch]' \
			--exclude='*/drivers/net/*.[ch]' \
			--exclude='*/sound/*.[ch]'
	mv "$dir/src.part" "$dir/src"
}

# kernel_prepare RELEASE
kernel_prepare() {
	local dir
	dir=$(kernel_dir "$1")
	rm -rf "$dir/out"
	mkdir "$dir/out"
	cp "$dir/config" "$dir/out/.config"
	kernel_make "$1" KERNELRELEASE="$1" olddefconfig
	kernel_same_config "$dir/config" "$dir/out/.config"
	kernel_make "$1" KERNELRELEASE="$1" -j"$(nproc)" prepare modules_prepare
	cp "$dir/symvers" "$dir/out/Module.symvers"
	[ "$(cat "$dir/out/include/config/kernel.release")" = "$1" ] ||
		die "the source calls itself $(cat "$dir/out/include/config/kernel.release"), not $1"
	kernel_same_symbols "$dir/out"
	touch "$dir/out/.prepared"
}

# kernel_make RELEASE ARG...: the kernel's own make, with the compiler that built the kernel.
kernel_make() {
	local cc release=$1
	cc=$(cat "$(kernel_dir "$release")/cc")
	shift
	KERNEL=$release "$TOP/scripts/enter" \
		make -C "/kit/$release/src" O="/kit/$release/out" CC="$cc" HOSTCC="$cc" "$@"
}

# The configuration shows a different compiler. Only Debian's revision of the C compiler may differ: it does not
# affect Rust.
kernel_same_config() {
	local changed
	changed=$(diff <(sed '/^CONFIG_CC_VERSION_TEXT=/s/(.*)//' "$1") \
		<(sed '/^CONFIG_CC_VERSION_TEXT=/s/(.*)//' "$2") | grep '^[<>]' || true)
	[ -z "$changed" ] || die "the kernel's configuration does not stay as it is (< the" \
		"distribution's, > here), so its compilers are not the ones that its suite has now:"$'\n'"$changed"
}

# If the Rust code that a module is built on differs in one symbol, the module does not load.
kernel_same_symbols() {
	local missing
	missing=$(comm -23 \
		<(sed -n 's/^EXPORT_SYMBOL_RUST_GPL(\(.*\));.*/\1/p' "$1"/rust/exports_*_generated.h | sort -u) \
		<(cut -f 2 "$1/Module.symvers" | sort -u))
	[ -z "$missing" ] || die "this Rust is not the distribution's: its Module.symvers lacks" \
		"$(wc -l <<< "$missing") of our symbols, among them:"$'\n'"$(head -n 5 <<< "$missing")"
}

# The rest is for kernels that are built here, from the source of a stock kernel and a configuration fragment. They have
# kits of their own, next to the stock kernel's. In the folder of such a kernel, the file `make` has further arguments
# for the kernel's make.

# kernel_own_make RELEASE ARG...: the kernel's own make.
kernel_own_make() {
	local release=$1 words
	read -ra words < "$(kernel_dir "$release")/make"
	shift
	KERNEL=$release "$TOP/scripts/enter" make -C "/kit/$release/src" O="/kit/$release/out" \
		"${words[@]}" -j"$(nproc)" "$@"
}

# kernel_configure RELEASE FRAGMENT: each line of the fragment must survive. Kconfig silently drops options whose
# dependencies are off.
kernel_configure() {
	local out lost
	out=$(kernel_dir "$1")/out
	cp "$2" "$out/fragment.config"
	kernel_own_make "$1" KCONFIG_ALLCONFIG=fragment.config allnoconfig
	lost=$(grep -E '^(# )?CONFIG_' "$2" | grep -vxFf "$out/.config" || true)
	[ -z "$lost" ] || die "the kernel's configuration does not take these lines:"$'\n'"$lost"
}
