#!/bin/sh
# Certifies scenarios and verifies the certificates: verify_corpora.sh WEDGE WEDGE_VERIFY LEAST FOLDER...
# Fails if a certificate is rejected, or if fewer than LEAST scenarios have one.
wedge=$1 verifier=$2 least=$3
shift 3
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
verified=0 without=0 failed=0
for file in $(find "$@" -name '*.wedge' | LC_ALL=C sort); do
    rm -f "$folder/certificate"
    "$wedge" check "$file" --certificate "$folder/certificate" >/dev/null 2>"$folder/why"
    if [ -f "$folder/certificate" ]; then
        if "$verifier" "$folder/certificate" >/dev/null && "$wedge" verify "$folder/certificate" >/dev/null; then
            verified=$((verified + 1))
        else
            failed=$((failed + 1))
            echo "$file: rejected"
        fi
    elif grep -q 'no certificate: the verifier does not know\|no certificate: the outcome is finding' "$folder/why"; then
        without=$((without + 1))
    else
        failed=$((failed + 1))
        echo "$file: $(cat "$folder/why")"
    fi
done
echo "$verified verified, $without without a certificate, $failed failed"
[ "$failed" -eq 0 ] && [ "$verified" -ge "$least" ]
