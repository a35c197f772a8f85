
  # The authorities that may sign the broker's certificate, by fingerprint. They are imported from wgmqtt-ca.pem if one
  # is missing. An import skips certificates that the router already has, whatever their names.
  :local authorities ({})
@fingerprints@
  :local countMissing do={
    :local missing 0
    :foreach wanted,order in=$1 do={
      :if ([:len [/certificate/find where fingerprint=$wanted]] = 0) do={ :set missing ($missing + 1) }
    }
    :return $missing
  }
  :local named [/certificate/find where name~"^@authorityName@"]
  :if ([:len $named] = 0 and [$countMissing $authorities] > 0) do={
    :local reason "it contains no certificate"
    :onerror wgmqttError in={
      /certificate/import file-name=wgmqtt-ca.pem name="@authorityName@" passphrase="" trusted=yes
    } do={ :set reason $wgmqttError }
    # The import may return before the certificates are there.
    :for tick from=1 to=20 do={
      :set named [/certificate/find where name~"^@authorityName@"]
      :if ([:len $named] = 0 and [$countMissing $authorities] > 0) do={ :delay 100ms }
    }
    :local advice ("wgmqtt: upload the hub's file " . @authorityFile@ . " to this router as wgmqtt-ca.pem.")
    :if ([:len $named] = 0 and [$countMissing $authorities] > 0) do={
      :error ($advice . " Its import here: " . $reason . ". Nothing was changed.")
    }
    # Is it another file with that name? Only fingerprints in the same format as the expected ones can show it.
    :if ([$countMissing $authorities] > 0) do={
      :local comparable true
      :foreach certificateId in=$named do={
        :local found [:tostr [/certificate/get $certificateId fingerprint]]
        :if (!($found ~ "^[0-9a-f]+\$") or [:len $found] != 64) do={ :set comparable false }
      }
      :if ($comparable) do={
        :foreach certificateId in=$named do={ /certificate/remove $certificateId }
        :error ($advice . " The file here contains other certificates. Nothing was changed.")
      }
    }
  }
  # A check that fails to run is skipped: that is no reason to stop.
  :foreach wanted,order in=$authorities do={
    :do {
      :foreach certificateId in=[/certificate/find where fingerprint=$wanted] do={
        :local trusted [:tostr [/certificate/get $certificateId trusted]]
        :if ($trusted = "false" or $trusted = "no") do={
          :put ("warning: certificate " . [/certificate/get $certificateId name] . " has trusted=no: set it to yes")
        }
      }
    } on-error={}
  }
