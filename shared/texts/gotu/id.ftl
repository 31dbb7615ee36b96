# Gotu in Indonesian. SMS: one segment of GSM 03.38 with the line "@host #code".

aim = { $purpose ->
    [sign_up] mendaftar
    [sign_in] masuk
    [reset_password] membuat kata sandi baru
    [delete_account] menghapus akun Anda
   *[other] mengonfirmasi nomor Anda
}
lasting = Berlaku { $minutes } menit.
ignore = Bukan Anda? Abaikan pesan ini.

sms-code = { $code } adalah kode { $name } Anda untuk { aim }. { lasting } { ignore }
sms-notice = Anda sudah punya akun { $name }. Pilih "masuk" di aplikasi untuk mendapatkan kode. { ignore }

mail-code-subject = Kode { $name } Anda untuk { aim }
mail-code-lead = Kode { $name } Anda untuk { aim }:
mail-code-note = { lasting } { ignore }
mail-notice-subject = Anda sudah punya akun { $name }
mail-notice-lead = Anda sudah punya akun { $name } dengan alamat ini.
mail-notice-how = Pilih “masuk” di aplikasi, dengan kata sandi atau dengan kode.
mail-notice-note = { ignore }

link-sign-up = Daftar
link-sign-in = Masuk
link-shop = Situs web
link-help = Bantuan
